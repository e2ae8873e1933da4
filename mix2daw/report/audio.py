"""The audio in the page: FLAC where that is small enough, else MP3, and excerpts where even that is not.

All of what browsers decode, these two are decoded by every one of them (Ogg Opus by Safari only lately), and
both are written with the same bytes every time. What is to be played in step is of one codec, so that a
decoder's delay, if it leaves one, is the same for all of it. Every clip is scaled to its peak, so that
nothing clips and a faint difference is not lost in 16 bits; `level_db` undoes that.
"""

from __future__ import annotations

import base64
import io
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import soundfile

from mix2daw.stems import Signal, resample

Codec = Literal["flac", "mp3"]

ALL_BYTES, STRIPS_BYTES = 16_200_000, 4_200_000  # before base64, which makes a third more of it
BEST_KBPS, WORST_KBPS, STRIP_KBPS = 192, 96, 80
LONGEST_STRIP_S, LONGEST_STRIP_SHARE = 10.0, 0.25  # of the song
LEAST_STRIP_S, SHORTEST_STRIP_S = 5.0, 2.0  # if there is room for it; else
PEAK = 0.89
MP3_LOW_KBPS, MP3_HIGH_KBPS = 32, 320
PAGE_RATES = (44100, 48000)
QUIET = 1e-7  # a peak that counts as silence
COMPARED = 4  # signals
FLAC_FRAME_BYTES = 1.7  # what a frame of dense music takes


@dataclass(frozen=True)
class Clip:
    """A piece of audio. `start_s`: where on the time line of the song it begins; `level_db`: the level to
    play it at, for it to be as loud as it was; `data`: the file in base64, "" for silence."""

    id: str
    start_s: float
    seconds: float
    codec: Codec
    level_db: float
    data: str

    @property
    def mime(self) -> str:
        """Its type for a browser."""
        return {"flac": "audio/flac", "mp3": "audio/mpeg"}[self.codec]


@dataclass(frozen=True)
class Plan:
    """How the signals that are compared are kept. `kbps`: of an MP3 (0: FLAC); `start_s`, `seconds`: the part
    of the song that is in the page."""

    codec: Codec
    kbps: int
    start_s: float
    seconds: float


def page_rate(sample_rate: int) -> int:
    """The rate of the audio in the page, which every decoder knows."""
    if sample_rate in PAGE_RATES:
        return sample_rate
    return 44100 if sample_rate % 11025 == 0 else 48000


def at_page_rate(signal: Signal, sample_rate: int) -> Signal:
    """A signal at the rate of the page."""
    return resample(signal, sample_rate, page_rate(sample_rate))


def mains(
    signals: Mapping[str, Signal], sample_rate: int, loudest_s: float, of_strips: Sequence[Clip]
) -> tuple[Plan, tuple[Clip, ...]]:
    """The signals that are compared, `(2, samples)` of one length, by id. If they are too long for what the
    clips of strips leave of the page, a part around `loudest_s` is kept."""
    room_bytes = ALL_BYTES - sum(map(size, of_strips))
    length_s = next(iter(signals.values())).shape[1] / sample_rate
    whole = Plan("flac", 0, 0.0, length_s)
    # Music takes a quarter of its 32 bits a frame and more in FLAC: what cannot fit need not be tried.
    if len(signals) * length_s * page_rate(sample_rate) < room_bytes:
        clips = all_encoded(signals, sample_rate, whole)
        if sum(map(size, clips)) <= room_bytes:
            return whole, clips
    kbps = min(BEST_KBPS, int(room_bytes * 8 / 1000 / (length_s * len(signals))))
    seconds = min(length_s, room_bytes * 8 / 1000 / WORST_KBPS / len(signals))
    start_s = min(max(0.0, loudest_s - seconds / 2), length_s - seconds)
    plan = Plan("mp3", _standard(max(WORST_KBPS, kbps)), start_s, seconds)
    return plan, all_encoded(signals, sample_rate, plan)


def size(clip: Clip) -> int:
    """Bytes of its file."""
    return len(clip.data) * 3 // 4


def strip_seconds(clips: int, length_s: float) -> float:
    """How long the excerpts of strips are, 0 if there are too many strips for any."""
    longest_s = min(LONGEST_STRIP_S, max(length_s * LONGEST_STRIP_SHARE, min(length_s, LEAST_STRIP_S)))
    seconds = min(longest_s, STRIPS_BYTES * 8 / 1000 / STRIP_KBPS / max(1, clips))
    return seconds if seconds >= min(SHORTEST_STRIP_S, length_s) else 0.0


def strips_in_flac(clips: int, seconds: float, length_s: float, sample_rate: int) -> bool:
    """Whether excerpts of strips can be in FLAC, which is encoded twenty times as fast as MP3, beside the
    signals that are compared."""
    frames = (clips * seconds + COMPARED * length_s) * page_rate(sample_rate)
    return frames * FLAC_FRAME_BYTES <= ALL_BYTES


def strip_clips(
    signals: Mapping[str, Signal], sample_rate: int, start_s: float, seconds: float, flac: bool
) -> tuple[Clip, ...]:
    """Excerpts of one strip by id, in FLAC if wanted and no larger than was reckoned with."""
    if flac:
        most_bytes = seconds * page_rate(sample_rate) * FLAC_FRAME_BYTES
        clips = all_encoded(signals, sample_rate, Plan("flac", 0, start_s, seconds))
        if all(size(clip) <= most_bytes for clip in clips):
            return clips
    return all_encoded(signals, sample_rate, Plan("mp3", STRIP_KBPS, start_s, seconds))


def all_encoded(signals: Mapping[str, Signal], sample_rate: int, plan: Plan) -> tuple[Clip, ...]:
    """A clip of every signal, by id, several at a time."""
    with ThreadPoolExecutor(min(len(signals), os.cpu_count() or 1)) as pool:
        jobs = [pool.submit(encoded, name, signal, sample_rate, plan) for name, signal in signals.items()]
        return tuple(job.result() for job in jobs)


def encoded(name: str, signal: Signal, sample_rate: int, plan: Plan) -> Clip:
    """The part of a signal that a plan keeps, as a clip called `name`."""
    first = round(plan.start_s * sample_rate)
    part = signal[:, first : first + round(plan.seconds * sample_rate)]
    peak = float(np.abs(part).max(initial=0.0))
    if peak < QUIET:
        return Clip(name, plan.start_s, plan.seconds, plan.codec, 0.0, "")
    part = at_page_rate(part * np.float32(PEAK / peak), sample_rate)
    file = _flac(part, page_rate(sample_rate)) if plan.codec == "flac" else _mp3(part, sample_rate, plan.kbps)
    level_db = round(20 * math.log10(peak / PEAK), 3)
    data = base64.b64encode(file).decode("ascii")
    return Clip(name, plan.start_s, plan.seconds, plan.codec, level_db, data)


def _flac(signal: Signal, sample_rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, signal.T, sample_rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def _mp3(signal: Signal, sample_rate: int, kbps: int) -> bytes:
    """Constant bit rate: what it takes is known beforehand."""
    file = io.BytesIO()
    level = (MP3_HIGH_KBPS - kbps) / (MP3_HIGH_KBPS - MP3_LOW_KBPS)
    rate = page_rate(sample_rate)
    with soundfile.SoundFile(
        file, "w", rate, len(signal), subtype="MPEG_LAYER_III", format="MP3",
        compression_level=level, bitrate_mode="CONSTANT",
    ) as out:  # fmt: skip
        out.write(signal.T)
    return file.getvalue()


def _standard(kbps: int) -> int:
    """The next lower rate that MP3 has."""
    return max(rate for rate in (64, 80, 96, 112, 128, 160, 192) if rate <= kbps)
