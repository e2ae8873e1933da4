"""Equalizers and pans retouched: what is still wrong with every track, measured on the played console.

The mix and our own render are both explained by linear filters on what the tracks put out
(`least_squares`). Where a track is right, its two responses agree; their ratio is what it lacks. What groups,
the master, echoes and reverbs do is in both responses, and cancels. A soft track is measured as well as a
loud one, which a descent on the sum hardly hears.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mix2daw.controls import Key
from mix2daw.graph import Strip
from mix2daw.play import play
from mix2daw.processors import PROCESSORS
from mix2daw.search.equalizer_descent import equalizer_curve_db, fit_equalizers
from mix2daw.search.equalizer_match import band_weights, match_bands
from mix2daw.search.least_squares import Responses, least_squares, mid_side_columns
from mix2daw.search.state import State
from mix2daw.search.warm_start import CURVE_SIZE

WRONG_DB, WRONG_PAN = 0.3, 0.005  # RMS of what a curve lacks, change of a pan: to be worth a trial
CLOSER = 0.002  # share of La by which a trial must fall
MOST_DB = 12.0  # of what is believed to lack, in a band and of one side
TINY = 1e-20

Values = dict[tuple[Key, str], float]


@dataclass(frozen=True)
class Lack:
    """What tracks lack: `curve_db` `(tracks, bands)` with `weight` `(tracks, bands)` that sums to one, and
    `sides_lin` `(tracks, 2)`, by how much left and right should be louder."""

    curve_db: Tensor
    weight: Tensor
    sides_lin: Tensor

    def rms_db(self) -> Tensor:
        """Of every curve about its mean, `(tracks,)`: a level is the fader's."""
        mean = (self.weight * self.curve_db).sum(-1, keepdim=True)
        return (self.weight * (self.curve_db - mean).square()).sum(-1).sqrt()


def retouch(state: State, share: float) -> None:
    """Give tracks the equalizer and the pan that they lack, until that share of the budget is spent; each
    that comes closer to the mix stays."""
    if state.late(share):
        return
    tracks = state.graph.of_kind("track")
    lack = measure_lack(state)
    touches = _curves(state, tracks, lack)
    judge = state.trial_judge()
    for index, strip in enumerate(tracks):
        if state.late(share):
            break
        for values in (touches.get(strip.name, {}), _pan(state, strip, lack.sides_lin[index])):
            if not values:
                continue
            trial = judge.turned(values)
            if trial.score < (1 - CLOSER) * judge.score:
                judge.accept(trial)
        state.progress.step(f"La {judge.score:.3f}")
    state.adopt(judge.shrunk())


def measure_lack(state: State) -> Lack:
    """By what the played tracks differ from what is in the mix, in the bands of `match_bands`."""
    graph = state.graph
    sources, target = state.listened()
    tracks = [strip.name for strip in graph.of_kind("track")]
    with torch.no_grad():
        signals = play(graph, state.controls, {n: s.to(state.device) for n, s in sources.items()})
    columns, owner = mid_side_columns([signals.out[name] for name in tracks])
    both = torch.cat([target.to(state.device), signals.out[graph.master.name]])
    responses = least_squares(columns, owner, both, CURVE_SIZE)
    _, bands = match_bands(CURVE_SIZE, state.sample_rate)
    curves, heard, trust, sides = zip(*(_lack(responses, i, bands) for i in range(len(tracks))), strict=True)
    weight = band_weights(torch.stack(heard), torch.stack(trust))
    return Lack(torch.stack(curves), weight, torch.stack(sides))


def _lack(responses: Responses, stem: int, bands: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The curve that a stem lacks, dB per band; how loud it is there in the mix; how coherent its two
    responses are; and what its sides lack."""
    columns = responses.columns(stem)
    power = responses.power[:, columns, None].double()
    response = responses.response[:, columns].to(torch.complex128)
    mix, render = response[..., :2], response[..., 2:]
    inner, loud = power * mix * render.conj(), power * render.abs().square()
    sides = inner.real.sum((0, 1)) / loud.sum((0, 1)).clamp(min=TINY)
    shared = _turned_alike(inner.sum((1, 2)), bands)
    rendered = (bands @ loud.sum((1, 2))).clamp(min=TINY)
    mixed = (bands @ (power * mix.abs().square()).sum((1, 2))).clamp(min=TINY)
    coherence = (shared.abs().square() / (rendered * mixed)).clamp(0, 1)
    curve_db = 20 * torch.log10((shared.abs() / rendered).clamp(min=TINY))
    most = 10 ** (MOST_DB / 20)
    return curve_db.clamp(-MOST_DB, MOST_DB), mixed, coherence, sides.clamp(1 / most, most)


def _turned_alike(spectrum: Tensor, bands: Tensor) -> Tensor:
    """Sums of a complex spectrum `(bins,)` over bands, after the turn of phase from bin to bin, which the
    bins of a band have in common, is taken out: it would make a steep filter look soft."""
    step = spectrum[1:] * spectrum[:-1].conj()
    turn = (bands[:, 1:].to(step.dtype) @ step).angle()[:, None] * torch.arange(len(spectrum))
    return (bands * spectrum * torch.polar(torch.ones_like(turn), -turn)).sum(-1)


def _curves(state: State, tracks: Sequence[Strip], lack: Lack) -> dict[str, Values]:
    """By the names of tracks whose only equalizer is clearly wrong: its settings with what it lacks."""
    keys: dict[int, Key] = {}
    for index, strip in enumerate(tracks):
        places = [str(i) for i, device in enumerate(strip.all_devices()) if device.type == "equalizer"]
        fixed = state.lock.fixes(strip.name, "equalizer")
        if len(places) == 1 and not fixed and float(lack.rms_db()[index]) > WRONG_DB:
            keys[index] = Key(strip.name, "equalizer", places[0])
    if not keys:
        return {}
    now = {
        setting: torch.tensor(
            [state.controls.value(key, setting) for key in keys.values()], dtype=torch.float64
        )
        for setting in PROCESSORS["equalizer"].rest()
    }
    rows = list(keys)
    centres, _ = match_bands(CURVE_SIZE, state.sample_rate)
    wanted_db = equalizer_curve_db(now, centres, state.sample_rate) + lack.curve_db[rows]
    settings, _ = fit_equalizers(
        wanted_db, lack.weight[rows], centres, state.sample_rate, now=now, device=state.device
    )
    return {
        key.strip: {(key, setting): float(value[row]) for setting, value in settings.items()}
        for row, key in enumerate(keys.values())
    }


def _pan(state: State, strip: Strip, sides_lin: Tensor) -> Values:
    """The pan with what its sides lack; nothing if that hardly differs."""
    key = Key(strip.name, "pan")
    if state.lock.fixes(strip.name, "pan"):
        return {}
    pan = state.controls.value(key, "pan")
    left, right = (min(1.0, 1 - pan) * float(sides_lin[0]), min(1.0, 1 + pan) * float(sides_lin[1]))
    wanted = (right - left) / max(left, right, TINY)
    return {(key, "pan"): wanted} if abs(wanted - pan) > WRONG_PAN else {}
