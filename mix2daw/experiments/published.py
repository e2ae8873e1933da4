"""What Lee et al. printed (arXiv 2509.15948): 72 songs at 30 kHz, on one RTX 3090."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "Lee et al., arXiv 2509.15948: 72 songs of their own, at 30 kHz, on one RTX 3090"


@dataclass(frozen=True)
class Pruned:
    """Of a strategy and a tolerance: La, the share of processors that was pruned, minutes a song (None: they
    do not say)."""

    la: float
    share: float
    minutes: float | None


SUM_OF_STEMS = 19.7
# By the type that a console has more than the one before it, in their order.
CONSOLES = {
    "": 0.689,
    "width": 0.676,
    "equalizer": 0.557,
    "reverb": 0.481,
    "compressor": 0.423,
    "gate": 0.414,
    "delay": 0.409,
}
PRUNING = {
    ("brute-force", 0.01): Pruned(0.424, 0.69, 56),
    ("dry-wet", 0.01): Pruned(0.420, 0.62, 29),
    ("hybrid", 0.001): Pruned(0.411, 0.49, None),
    ("hybrid", 0.01): Pruned(0.422, 0.67, 36),
    ("hybrid", 0.1): Pruned(0.499, 0.87, None),
}
