"""A mix of some stems by other makers' plug-ins, and how close free filters come to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from _foreign_plugins import Bands, Rack, Signal, Squash, lin, play
from torch import Tensor

from mix2daw.groups import guess_group, guessed_groups
from mix2daw.loss import published_la
from mix2daw.search.least_squares import mid_side_columns, ridge_of
from mix2daw.stems import find_stems, read_audio, stereo
from mix2daw.synthetic.levels import frame_levels_db, working_frames
from mix2daw.synthetic.manner import KICK

CENTRED = ("bass", "vocals")
COMPRESSED, GLUED, SENT, FILTERED, GATED_DB = 0.6, 0.7, 0.6, 0.6, -80.0
TRACK_RMS_DB, PEAK = -24.0, 0.7
FRAMES_RATE = 44100  # by which 10 ms are counted, at any rate: a frame is 441 samples
FREE_FFT = 8192


@dataclass(frozen=True)
class Desk:
    """Who mixes: a rack of plug-ins, and chance."""

    rack: Rack
    sample_rate: int
    rng: np.random.Generator

    def uniform(self, low: float, high: float) -> float:
        """A number between two."""
        return float(self.rng.uniform(low, high))

    def log(self, low: float, high: float) -> float:
        """A number between two, as many in each octave."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def chance(self, share: float) -> bool:
        """Whether something is done that is done so often."""
        return bool(self.rng.random() < share)

    def equalized(self, signal: Signal, low: bool) -> Signal:
        """Through the rack's equalizer; what is `low` keeps its bottom."""
        highpass_hz = self.log(60, 220) if not low and self.chance(FILTERED) else None
        bells = [(self.log(250, 6000), self.uniform(-5, 5), self.uniform(0.7, 2)) for _ in range(3)]
        bands = Bands(highpass_hz, tuple(bells[: self.rng.integers(1, 4)]), 7000, self.uniform(-1, 4))
        return play(signal, self.sample_rate, self.rack.equalizer, bands)

    def squash(self, signal: Signal, gentle: bool) -> Squash:
        """A compressor's settings, its threshold within what a signal has."""
        levels_db = frame_levels_db(signal, self.sample_rate)
        loud_db = float(np.quantile(levels_db[working_frames(levels_db)], 0.9))
        times = self.log(10, 40) if gentle else self.log(2, 30), self.log(80, 400)
        ratio = self.uniform(1.5, 2.5) if gentle else self.uniform(2, 5)
        return Squash(loud_db - self.uniform(2, 8), ratio, *times)


def balanced(signal: Signal, pan: float) -> Signal:
    """A balance: the far side is turned down, −1 (left) to 1, the near one kept."""
    sides = np.array([[min(1.0, 1 - pan)], [min(1.0, 1 + pan)]], np.float32)
    return (signal * sides).astype(np.float32)


def scaled(signal: Signal, rms_db: float) -> Signal:
    """At a level, measured where it sounds."""
    levels_db = frame_levels_db(signal, FRAMES_RATE)
    power = np.mean(10 ** (levels_db[working_frames(levels_db)] / 10))
    return (signal * (lin(rms_db) / np.sqrt(power))).astype(np.float32)


def sounding_stems(folder: Path) -> tuple[dict[str, Signal], int]:
    """Stereo stems by name, all of one length and rate; silent ones are left out."""
    files = find_stems(folder)
    sample_rate = soundfile.info(files[0]).samplerate
    signals = {file.stem: stereo(read_audio(file, sample_rate)) for file in files}
    length = max(signal.shape[1] for signal in signals.values())
    heard = {name: s for name, s in signals.items() if np.abs(s).max() > lin(GATED_DB)}
    return {n: np.pad(s, ((0, 0), (0, length - s.shape[1]))) for n, s in heard.items()}, sample_rate


def mixed(stems: dict[str, Signal], sample_rate: int, rack: Rack, seed: int) -> Signal:
    """The mix (2, samples): tracks with equalizer and compressor, groups with another one, a reverb."""
    desk = Desk(rack, sample_rate, np.random.default_rng(seed))
    groups = {name: group for group, names in guessed_groups(stems).items() for name in names}
    silence = np.zeros_like(next(iter(stems.values())))
    buses, sent = {"": silence.copy()}, silence.copy()
    for name, stem in stems.items():
        family = guess_group(name)
        low = family == "bass" or bool(KICK.search(name))
        played = desk.equalized(stem, low)
        if desk.chance(COMPRESSED):
            played = play(played, sample_rate, rack.compressor, desk.squash(played, gentle=False))
        played = scaled(played, TRACK_RMS_DB + desk.uniform(-4, 4))
        played = balanced(played, 0.0 if low or family in CENTRED else desk.uniform(-0.7, 0.7))
        bus = groups.get(name, "")
        buses[bus] = buses.get(bus, silence) + played
        if not low and desk.chance(SENT):
            sent += played * np.float32(lin(desk.uniform(-14, -4)))
    mix = play(sent, sample_rate, rack.reverb, desk.uniform(1.0, 2.0))
    for bus, signal in buses.items():
        if bus and desk.chance(GLUED):
            signal = play(signal, sample_rate, rack.glue, desk.squash(signal, gentle=True))
        mix = mix + signal * np.float32(lin(desk.uniform(-1.5, 1.5)))
    result: Signal = mix * np.float32(PEAK / np.abs(mix).max())
    return result


def free_filters(stems: dict[str, Signal], mix: Signal) -> Signal:
    """The best sum of the stems, each through any filter of FREE_FFT samples: least squares per bin of
    short-time spectra, mid and side of each stem to either channel, lightly regularised."""
    columns, _ = mid_side_columns([torch.from_numpy(stem) for stem in stems.values()])
    window, hop = torch.hann_window(FREE_FFT), FREE_FFT // 4

    def spectra(signals: Tensor) -> Tensor:
        """(bins, frames, rows)."""
        made = torch.stft(signals, FREE_FFT, hop, window=window, return_complex=True)
        return made.permute(1, 2, 0).contiguous()

    sources, target = spectra(torch.stack(columns)), spectra(torch.from_numpy(mix))
    gram = sources.mH @ sources
    ridge = ridge_of(gram.diagonal(dim1=-2, dim2=-1).real)
    filters = torch.linalg.solve(gram + torch.diag_embed(ridge).to(gram.dtype), sources.mH @ target)
    made = (sources @ filters).permute(2, 0, 1)
    result: Signal = torch.istft(made, FREE_FFT, hop, window=window, length=mix.shape[1]).numpy()
    return result


def la(signal: Signal, mix: Signal, sample_rate: int) -> float:
    """The published loss of a whole song."""
    return published_la(torch.from_numpy(signal), torch.from_numpy(mix), sample_rate)["full"]
