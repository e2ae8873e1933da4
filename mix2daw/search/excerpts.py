"""Which parts of the song the search listens to.

An excerpt is a stretch of all stems with a pre-roll that is played but not scored, so that compressors and
reverbs are in their stride. Training excerpts are few and cover every stem; the scoring excerpts are judged
as the published method judges a song.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mix2daw.loss import SegmentLoss, SongScore, WaveformLoss

FIRST_TRAIN_S, PRE_ROLL_S, STEP_S = 3.5, 1.0, 0.5
TRAIN_CHANNEL_S = 336.0  # seconds times channels of all stems, if no more than FIRST_TRAIN_S is too little
WHOLE_SONG_S = 45.0
LISTENED_S, LISTENED_LEAST_S, LISTENED_STRETCHES = 60.0, 24.0, 3
LISTENED_CHANNEL_S = 900.0  # seconds times channels of all stems
STRETCH_S, SCORED_S = 2.8, 8.4  # of the published score; of one scoring excerpt of a long song
# Seconds of a long song that are scored; the same times channels of all stems, and for a song that is scored
# as a whole: a judge keeps the signals of every strip.
SCORED_LONG_S, SCORED_CHANNEL_S, WHOLE_CHANNEL_S = 30.0, 1440.0, 2160.0
SCORED_LEAST = 3  # excerpts


@dataclass(frozen=True)
class TrainingExcerpt:
    """Sources with `skip` samples of pre-roll, and the two losses against the target."""

    sources: dict[str, Tensor]
    skip: int
    spectral: SegmentLoss
    waveform: WaveformLoss

    def trusting(self, coherence: Tensor) -> TrainingExcerpt:
        """The excerpt with a waveform term that counts as far as phases agree (`agreement.coherence`)."""
        return replace(self, waveform=self.waveform.trusting(coherence))


@dataclass(frozen=True)
class ScoringExcerpt:
    """Sources, the `target` (2, samples), and what scores the mix of this excerpt."""

    sources: dict[str, Tensor]
    target: Tensor
    loss: SongScore

    def score(self, mix: Tensor) -> Tensor:
        """La of each stretch of the mix of this excerpt, `(2, samples)`."""
        return self.loss(mix)


def coverage(sources: Mapping[str, Tensor], starts: list[int], length: int, count: int) -> list[int]:
    """Choose `count` of the starts so that every stem is heard: each choice adds most to the sum over the
    stems of the logarithm of the share of their energy heard so far. Overlaps are avoided. Sorted."""
    energy = torch.zeros(len(starts), len(sources), dtype=torch.float64)
    for column, source in enumerate(sources.values()):
        power = source.square().sum(0, dtype=torch.float64)
        total = torch.nn.functional.pad(power.cumsum_(0), (1, 0))
        begin = torch.tensor(starts).clamp(max=total.shape[0] - 1).to(total.device)
        end = torch.tensor([s + length for s in starts]).clamp(max=total.shape[0] - 1).to(total.device)
        energy[:, column] = ((total[end] - total[begin]) / total[-1].clamp(min=1e-12)).cpu()
    heard = torch.zeros(len(sources), dtype=torch.float64)
    chosen: list[int] = []
    for _ in range(min(count, len(starts))):
        gain = (heard + energy + 1e-3).log().sum(1)
        for index, start in enumerate(starts):
            if any(abs(start - starts[other]) < 0.9 * length for other in chosen):
                gain[index] -= 1e3
        best = int(gain.argmax())
        if gain[best] < -500 and chosen:
            break
        chosen.append(best)
        heard += energy[best]
    return sorted(starts[index] for index in chosen)


def listening_starts(sources: Mapping[str, Tensor], samples: int, sample_rate: int) -> tuple[list[int], int]:
    """First samples and the length of the stretches that are analysed as a whole: a short song in one, of a
    long one those in which most is heard of every stem, so that time and memory stay within bounds."""
    channels = sum(source.shape[0] for source in sources.values())
    listened_s = min(LISTENED_S, max(LISTENED_LEAST_S, LISTENED_CHANNEL_S / channels))
    if samples <= listened_s * sample_rate:
        return [0], samples
    size = round(listened_s / LISTENED_STRETCHES * sample_rate)
    grid = list(range(0, samples - size + 1, sample_rate))
    return coverage(sources, grid, size, LISTENED_STRETCHES), size


def joined(signal: Tensor, starts: list[int], size: int) -> Tensor:
    """The stretches of a signal `(channels, samples)`, one after the other."""
    return torch.cat([signal[:, start : start + size] for start in starts], 1)


def stretches(sources: Mapping[str, Tensor], starts: list[int], size: int) -> list[dict[str, Tensor]]:
    """The stretches of all sources. Each source is read once, and not kept if less than all of it is."""
    cut: list[dict[str, Tensor]] = [{} for _ in starts]
    for name, source in sources.items():
        for stretch, start in zip(cut, starts, strict=True):
            part = source[:, start : start + size]
            stretch[name] = part if part.shape == source.shape else part.clone()
    return cut


def trained_s(seconds: float, channels: int) -> float:
    """How long an excerpt is that should have so many seconds, of a song whose stems have so many channels
    together: a backward pass keeps all that they play."""
    return min(seconds, max(FIRST_TRAIN_S, TRAIN_CHANNEL_S / channels))


def training_excerpts(
    sources: Mapping[str, Tensor], target: Tensor, sample_rate: int, seconds: float, count: int = 4
) -> list[TrainingExcerpt]:
    """Excerpts to fit on, of so many seconds, of a large song of fewer. A song that fits into one is one."""
    length, channels = target.shape[1], sum(source.shape[0] for source in sources.values())
    scored = round(trained_s(seconds, channels) * sample_rate)
    skip = round(PRE_ROLL_S * sample_rate)
    if length <= scored + skip:
        skip = min(skip, length // 4)
        starts, scored = [0], length - skip
    else:
        last = length - scored - skip
        grid = list(range(0, last + 1, round(STEP_S * sample_rate)))
        starts = [start - skip for start in coverage(sources, [s + skip for s in grid], scored, count)]
    excerpts = []
    for start, cut in zip(starts, stretches(sources, starts, skip + scored), strict=True):
        heard = target[:, start + skip : start + skip + scored]
        excerpts.append(
            TrainingExcerpt(
                cut,
                skip,
                SegmentLoss(heard, sample_rate, order="called"),
                WaveformLoss(heard, sample_rate),
            )
        )
    return excerpts


def scored_parts(song_s: float, channels: int) -> tuple[int, float] | None:
    """How many excerpts of how many seconds (after the pre-roll) a song is scored by, whose stems have so
    many channels together; None: by the whole of it."""
    if song_s <= WHOLE_SONG_S and song_s * channels <= WHOLE_CHANNEL_S:
        return None
    seconds = min(SCORED_LONG_S, SCORED_CHANNEL_S / channels)
    each_s = SCORED_S if seconds == SCORED_LONG_S else STRETCH_S  # a large song in more and shorter ones
    return max(SCORED_LEAST, round(seconds / each_s)), each_s


def scoring_excerpts(sources: Mapping[str, Tensor], target: Tensor, sample_rate: int) -> list[ScoringExcerpt]:
    """Excerpts to judge by: the whole of a short song, parts of a long or large one. The first second of each
    is not scored."""
    skip, length = round(PRE_ROLL_S * sample_rate), target.shape[1]
    starts, size = [0], length
    parts = scored_parts(length / sample_rate, sum(source.shape[0] for source in sources.values()))
    if parts is not None and length > skip + round(parts[1] * sample_rate):
        size = skip + round(parts[1] * sample_rate)
        grid = list(range(0, length - size + 1, round(STRETCH_S * sample_rate)))
        starts = coverage(sources, grid, size, parts[0])
    elif length < 2 * skip:
        skip = 0
    return _scored(sources, target, sample_rate, starts, size, skip)


def trial_excerpts(
    sources: Mapping[str, Tensor], target: Tensor, sample_rate: int, whole: list[ScoringExcerpt], count: int
) -> list[ScoringExcerpt]:
    """Less to judge a trial by, which is one of a hundred: of a short song `count` stretches in which every
    stem is heard; of others what they are judged by anyway (`whole`). On a GPU one long stretch takes less
    time than a few short ones."""
    skip, length = round(PRE_ROLL_S * sample_rate), target.shape[1]
    size = skip + round(STRETCH_S * sample_rate)
    if len(whole) > 1 or length < count * size or target.device.type != "cpu":
        return whole
    grid = list(range(0, length - size + 1, round(STRETCH_S / 2 * sample_rate)))
    return _scored(sources, target, sample_rate, coverage(sources, grid, size, count), size, skip)


def _scored(
    sources: Mapping[str, Tensor], target: Tensor, sample_rate: int, starts: list[int], size: int, skip: int
) -> list[ScoringExcerpt]:
    return [
        ScoringExcerpt(cut, heard, SongScore(heard, sample_rate, skip))
        for start, cut in zip(starts, stretches(sources, starts, size), strict=True)
        for heard in (target[:, start : start + size],)
    ]
