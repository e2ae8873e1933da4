"""Which parts of the song the search listens to.

An excerpt is a stretch of all stems with a pre-roll that is played but not scored, so that compressors and
reverbs are in their stride. Training excerpts are few and cover every stem; the scoring excerpts are judged
as the published method judges a song: windows of 3.8 s, every 2.8 s, the first second of each unheard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mix2daw.loss import SegmentLoss, WaveformLoss

TRAIN_S, PRE_ROLL_S, STEP_S = 7.0, 1.0, 0.5
WINDOW_S, HOP_S, SKIP_S = 3.8, 2.8, 1.0
WHOLE_SONG_S = 45.0
SCORED_WINDOWS = 3  # a scoring excerpt of a long song: 1 s of pre-roll, then 3 windows (9.4 s)


@dataclass(frozen=True)
class TrainingExcerpt:
    """Sources with `skip` samples of pre-roll, and the two losses against the target."""

    sources: dict[str, Tensor]
    skip: int
    spectral: SegmentLoss
    waveform: WaveformLoss


@dataclass(frozen=True)
class ScoringExcerpt:
    """Sources, and per window its first sample and loss."""

    sources: dict[str, Tensor]
    windows: tuple[tuple[int, int, SegmentLoss], ...]

    def score(self, mix: Tensor) -> list[float]:
        """La of each window of the mix of this excerpt, `(2, samples)`."""
        return [float(loss(mix[:, first:last])["full"]) for first, last, loss in self.windows]


def coverage(sources: Mapping[str, Tensor], starts: list[int], length: int, count: int) -> list[int]:
    """Choose `count` of the starts so that every stem is heard: each choice adds most to the sum over the
    stems of the logarithm of the share of their energy heard so far. Overlaps are avoided. Sorted."""
    energy = torch.zeros(len(starts), len(sources), dtype=torch.float64)
    for column, source in enumerate(sources.values()):
        total = torch.nn.functional.pad(source.double().square().sum(0).cumsum(0), (1, 0))
        begin = torch.tensor(starts).clamp(max=total.shape[0] - 1)
        end = torch.tensor([s + length for s in starts]).clamp(max=total.shape[0] - 1)
        energy[:, column] = (total[end] - total[begin]) / total[-1].clamp(min=1e-12)
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


def training_excerpts(
    sources: Mapping[str, Tensor], target: Tensor, sample_rate: int, count: int = 4
) -> list[TrainingExcerpt]:
    """Excerpts to fit on. A song that fits into one is one."""
    length = target.shape[1]
    scored, skip = round(TRAIN_S * sample_rate), round(PRE_ROLL_S * sample_rate)
    if length <= scored + skip:
        skip = min(skip, length // 4)
        starts, scored = [0], length - skip
    else:
        last = length - scored - skip
        grid = list(range(0, last + 1, round(STEP_S * sample_rate)))
        starts = [start - skip for start in coverage(sources, [s + skip for s in grid], scored, count)]
    excerpts = []
    for start in starts:
        heard = target[:, start + skip : start + skip + scored]
        excerpts.append(
            TrainingExcerpt(
                {name: x[:, start : start + skip + scored].contiguous() for name, x in sources.items()},
                skip,
                SegmentLoss(heard, sample_rate, order="called"),
                WaveformLoss(heard, sample_rate),
            )
        )
    return excerpts


def scoring_excerpts(
    sources: Mapping[str, Tensor], target: Tensor, sample_rate: int, seconds: float = 30.0
) -> list[ScoringExcerpt]:
    """Excerpts to judge by: the whole of a short song, about `seconds` of a long one."""
    window, hop, skip = (round(s * sample_rate) for s in (WINDOW_S, HOP_S, SKIP_S))
    length = target.shape[1]
    if length <= WHOLE_SONG_S * sample_rate:
        regions = [(0, length)]
    else:
        size = skip + window + (SCORED_WINDOWS - 1) * hop
        starts = list(range(0, length - size + 1, hop))
        count = max(1, round(seconds / ((size - 2 * skip) / sample_rate)))
        regions = [(start, start + size) for start in coverage(sources, starts, size, count)]
    excerpts = []
    for first, last in regions:
        begin = 0 if first == 0 else skip
        windows = []
        for start in range(begin, max(begin + 1, last - first - window // 2), hop):
            end = min(start + window, last - first)
            heard = target[:, first + start : first + end]
            lead = skip if heard.shape[1] > 2 * skip else 0
            windows.append((start, end, SegmentLoss(heard, sample_rate, skip_samples=lead, order="called")))
        excerpts.append(
            ScoringExcerpt({name: x[:, first:last] for name, x in sources.items()}, tuple(windows))
        )
    return excerpts
