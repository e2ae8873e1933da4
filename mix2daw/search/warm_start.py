"""The start of the search, in closed form: levels, pans, equalizers, thresholds.

Recipe: least squares per bin for each stem's response (magnitudes where phases do not agree) → equalizer,
level and pan; thresholds where the signal is loud; then levels once more by least squares over the played
tracks.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from mix2daw.controls import Controls, Key
from mix2daw.graph import Graph, Strip
from mix2daw.play import play
from mix2daw.progress import Progress
from mix2daw.search.agreement import Agreement, ceiling_line, coherence, linear_ceiling
from mix2daw.search.engine import CPU
from mix2daw.search.equalizer_match import match_bands, match_equalizers
from mix2daw.search.least_squares import Responses, least_squares, mid_side_columns
from mix2daw.search.magnitudes import band_powers, measure_magnitudes

CURVE_SIZE = 4096
CUT_BELOW_HZ = 20.0
LOUD_SHARE, QUIET_SHARE = 0.9, 0.15  # quantiles of the level at which compressor and gate begin to work
# Linked, as most compressors of engineers are: a choice that the descent cannot change.
COMPRESSOR_START = {"ratio": 1.15, "attack_ms": 30.0, "release_ms": 300.0, "link": 1.0}
GATE_START = {"ratio": 1.05, "attack_ms": 5.0, "release_ms": 200.0}
LEVEL_LOW, LEVEL_HIGH = 0.3, 3.0  # corrections of the second level solve beyond these are not believed


def remove_rumble(signal: Tensor, sample_rate: int) -> Tensor:
    """DC and what lies below 20 Hz removed, `(channels, samples)`, by a linear-phase cut."""
    spectrum = torch.fft.rfft(signal)
    frequency = torch.arange(spectrum.shape[-1], device=signal.device) * (sample_rate / signal.shape[-1])
    slope = ((frequency - CUT_BELOW_HZ / 2) / (CUT_BELOW_HZ / 2)).clamp(0, 1)
    clean: Tensor = torch.fft.irfft(spectrum * slope, signal.shape[-1])
    return clean


def set_levels(controls: Controls, strip: str, left_lin: float, right_lin: float) -> None:
    """Fader and pan that play a strip at these levels (balance at 0 dB)."""
    left_lin, right_lin = abs(left_lin), abs(right_lin)
    loud = max(left_lin, right_lin, 1e-4)
    pan = 1 - left_lin / loud if right_lin >= left_lin else right_lin / loud - 1
    controls.set_value(Key(strip, "fader"), "fader_db", 20 * math.log10(loud))
    controls.set_value(Key(strip, "pan"), "pan", pan)


def _insert(strip: Strip, type_: str) -> Key | None:
    for index, device in enumerate(strip.all_devices()):
        if device.type == type_:
            return Key(strip.name, type_, str(index))
    return None


def _set(controls: Controls, key: Key | None, settings: Mapping[str, float]) -> None:
    if key is not None:
        for name, value in settings.items():
            controls.set_value(key, name, value)


def warm_start(
    graph: Graph,
    controls: Controls,
    sources: Mapping[str, Tensor],
    target: Tensor,
    progress: Progress,
    device: torch.device = CPU,
) -> Agreement:
    """Set the controls of a full console from the stems and the mix, all of them on the CPU. Choices (filter
    slopes) included. `device`: where filters are solved. Returns how far stems and mix agree.
    """
    rate = graph.sample_rate
    tracks = graph.of_kind("track")
    columns, goal, responses = _measured(graph, sources, target, device)
    flat = not any(_insert(strip, "equalizer") for strip in tracks)
    ceiling = linear_ceiling(responses, rate)
    progress.say(ceiling_line(ceiling, CURVE_SIZE / rate))
    bands = match_bands(CURVE_SIZE, rate)[1]
    powers = band_powers(columns, goal, responses, bands)
    magnitudes = measure_magnitudes(*powers, responses, bands)
    shifting = [tracks[stem].name for stem in magnitudes.stems()] if magnitudes else []
    for name in shifting:
        progress.say(f"{name}: phases do not agree with the mix; level and curve are from magnitudes")
    match = match_equalizers(responses, len(tracks), rate, flat, magnitudes, device)
    for index, strip in enumerate(tracks):
        _set(controls, _insert(strip, "equalizer"), {n: float(v[index]) for n, v in match.settings.items()})
        _set(controls, _insert(strip, "width"), {"width": float(match.width[index])})
        set_levels(controls, strip.name, *(float(level) for level in match.level[index]))
        if float(match.level[index].sum()) < 0:
            progress.say(f"{strip.name}: may be inverted in the mix, but that is not clear; left as it is")
    _start_dynamics(graph, controls, sources)
    _solve_levels(graph, controls, sources, target, shifting)
    return Agreement(ceiling, coherence(responses), tuple(shifting))


def measure_agreement(
    graph: Graph, sources: Mapping[str, Tensor], target: Tensor, device: torch.device = CPU
) -> Agreement:
    """What `warm_start` returns, where nothing is to be set."""
    _, _, responses = _measured(graph, sources, target, device)
    return Agreement(linear_ceiling(responses, graph.sample_rate), coherence(responses))


def _measured(
    graph: Graph, sources: Mapping[str, Tensor], target: Tensor, device: torch.device
) -> tuple[list[Tensor], Tensor, Responses]:
    """Mid and side columns of the tracks and the target, without rumble, on the device, and the responses
    between them."""
    rate = graph.sample_rate
    clean = [remove_rumble(sources[strip.name].to(device), rate) for strip in graph.of_kind("track")]
    goal = remove_rumble(target.to(device), rate)
    columns, owner = mid_side_columns(clean)
    return columns, goal, least_squares(columns, owner, goal, CURVE_SIZE)


def _loudness_db(signal: Tensor, share: float) -> float:
    """The level below which that share of the sounding samples lies, dBFS."""
    magnitude = signal.abs().flatten()
    magnitude = magnitude[magnitude > 0.01 * magnitude.max()][:: max(1, magnitude.numel() // 200_000)]
    if magnitude.numel() == 0:
        return -60.0
    return 20 * math.log10(max(1e-4, float(torch.quantile(magnitude[:200_000], share))))


def _start_dynamics(graph: Graph, controls: Controls, sources: Mapping[str, Tensor]) -> None:
    """Thresholds at what each compressor and gate hears, once its strip is equalised and mixed."""
    dynamics = {key for key in controls.all_keys() if key.type in ("compressor", "gate", "limiter")}
    with torch.no_grad():
        signals = play(graph, controls, sources, bypass=dynamics)
    for strip in graph.strips:
        heard = signals.out[strip.name]
        fader_db = controls.value(Key(strip.name, "fader"), "fader_db")
        loud_db = _loudness_db(heard, LOUD_SHARE) - fader_db
        _set(controls, _insert(strip, "compressor"), COMPRESSOR_START | {"threshold_db": loud_db})
        quiet_db = _loudness_db(heard, QUIET_SHARE) - fader_db
        _set(controls, _insert(strip, "gate"), GATE_START | {"threshold_db": quiet_db})
        peak_db = 20 * math.log10(max(1e-4, float(heard.abs().max())))
        _set(controls, _insert(strip, "limiter"), {"ceiling_db": peak_db - fader_db})


def _solve_levels(
    graph: Graph, controls: Controls, sources: Mapping[str, Tensor], target: Tensor, held: Collection[str]
) -> None:
    """Least squares of the played tracks on the mix, per channel; small corrections only, none to `held`."""
    tracks = [strip.name for strip in graph.of_kind("track")]
    with torch.no_grad():
        signals = play(graph, controls, sources)
    corrections = []
    for channel in range(2):
        played = torch.stack([signals.out[name][channel] for name in tracks])
        rest = target[channel] - (signals.out[graph.master.name][channel] - played.sum(0))
        gram = (played @ played.T).double()
        load = 1e-3 * gram.diagonal() + 1e-9
        corrections.append(torch.linalg.solve(gram + torch.diag(load), (played @ rest).double()))
    for index, name in enumerate(tracks):
        if name in held or not all(math.isfinite(float(correction[index])) for correction in corrections):
            continue
        pan, level = Key(name, "pan"), Key(name, "fader")
        fader_lin = 10 ** (controls.value(level, "fader_db") / 20)
        balance = controls.value(pan, "pan")
        sides = (min(1.0, 1 - balance), min(1.0, 1 + balance))
        new = [
            fader_lin * side * min(LEVEL_HIGH, max(LEVEL_LOW, float(correction[index])))
            for side, correction in zip(sides, corrections, strict=True)
        ]
        set_levels(controls, name, *new)
