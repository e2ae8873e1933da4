"""The report on a collection of recovered mixes whose consoles are known: Markdown and a picture."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from _calibration import Bin, Calibration, Case
from _recovery_counts import KNOBS, SongScore, Tally, kind_of, knob_errors, summed, whose

from mix2daw.experiments.markdown import table

POINTS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)  # confidences of the printed map, La
OF_GROUPS = ("fader dB", "level dB", "pan", "EQ curve dB", "gain reduction dB", "send dB")
DASH = "–"
PARTS_NOTES = """\
A device counts as found if the truth has one of its type at its place. A place is told by the tracks that run
through it: a group of one track is that track; a convolution on a return is a reverb. Precision: the share
of what was recovered that is in the truth. Recall: the share of the truth that was recovered, in all and of
what is heard (without it, La of the truth's render changes by more than 0.01). F1: their harmonic mean.
"""
KNOBS_NOTES = """\
Errors without their sign. Fader, pan: all faders and pans on a track's way to the master; a fader and a
compressor that is never at rest are one level, which is known: the track's output, with the faders that
follow. EQ: RMS of the curve over the stem's power, about its mean, of tracks with one on their way in either
console. Gain reduction: RMS over frames of 10 ms, about its mean, where either has a compressor. Send: of
those that both have, how loud comes back what is sent, by send, effect and the faders that follow. Decay:
RT60 of the reverb, 100 % if none was found.
"""
RAW = """\
**The confidence of a device is no probability.** It is by how much La rises without it, with no upper end:
pruning leaves out what is worth less than its tolerance. What a confidence is worth as a probability is told
by how often devices of about that confidence are in the truth. Sends and returns have no confidence:
{sends}.
"""


def share(value: float | None) -> str:
    """0.5 as "50 %"."""
    return DASH if value is None or math.isnan(value) else f"{100 * value:.0f} %"


def _number(value: float | None, digits: int = 2) -> str:
    return DASH if value is None or math.isnan(value) else f"{value:.{digits}f}"


def _tally_row(name: str, tally: Tally) -> tuple[str, ...]:
    heard = f"{share(tally.audible_recall)} of {tally.audible}" if tally.audible else DASH
    return (
        name,
        str(tally.true + tally.missed),
        str(tally.true + tally.false),
        str(tally.true),
        share(tally.precision),
        share(tally.recall),
        heard,
        _number(tally.f1),
    )


def parts_table(first: str, tallies: Mapping[str, Tally]) -> str:
    """Precision, recall and F1 per row; the last one is all of them."""
    head = (first, "in the truth", "recovered", "of both", "precision", "recall", "recall of heard", "F1")
    rows = [_tally_row(name, tally) for name, tally in tallies.items()]
    return table(head, [*rows, _tally_row("all", sum(tallies.values(), Tally()))])


def _spread(errors: Collection[float], digits: int) -> tuple[str, str]:
    """Median and the error that nine of ten stay below."""
    if not errors:
        return DASH, DASH
    return f"{np.median(errors):.{digits}f}", f"{np.quantile(list(errors), 0.9):.{digits}f}"


def knobs_table(songs: Sequence[SongScore]) -> str:
    """Errors of settings in all."""
    every = [error for song in songs for error in knob_errors(song)]
    rows = []
    for knob, digits in KNOBS.items():
        errors = [error for name, _, error in every if name == knob]
        worst = f"{max(errors):.{digits}f}" if errors else DASH
        rows.append((knob, str(len(errors)), *_spread(errors, digits), worst))
    exact = [song.score.delay_exact for song in songs if song.score.delay_exact is not None]
    rows.append(("delay to the sample", str(len(exact)), f"{sum(exact)} exact", "", ""))
    return table(("setting", "how many", "median", "90 %", "worst"), rows)


def groups_table(songs: Sequence[SongScore]) -> str:
    """Median and 90 % of the errors of settings per instrument."""
    every = [error for song in songs for error in knob_errors(song)]
    names = sorted({mine for knob, mine, _ in every if knob in OF_GROUPS})

    def cell(mine: str, knob: str) -> str:
        errors = [error for name, owner, error in every if (name, owner) == (knob, mine)]
        return f"{', '.join(_spread(errors, KNOBS[knob]))} ({len(errors)})" if errors else ""

    return table(("whose", *OF_GROUPS), [(mine, *(cell(mine, knob) for knob in OF_GROUPS)) for mine in names])


def _range(one: Bin) -> str:
    if math.isinf(one.low):
        return f"below {one.high:g}"
    return f"{one.low:g} and more" if math.isinf(one.high) else f"{one.low:g} to {one.high:g}"


def bins_table(bins: Sequence[Bin]) -> str:
    """The reliability diagram in numbers."""
    rows = [
        (
            _range(one),
            str(one.count),
            f"{one.confidence:z.3f}",
            share(one.share),
            f"{100 * one.share_low:.0f}–{100 * one.share_high:.0f} %",
        )
        for one in bins
    ]
    return table(("confidence", "devices", "mean", "in the truth", "that is, with 95 % certainty"), rows)


def calibration_text(found: Calibration, cases: Sequence[Case], sends: Tally) -> str:
    """What the confidence is worth, and the map from it to a probability."""
    true, songs = sum(case.true for case in cases), len({case.song for case in cases})
    said = f"{sends.true} of the {sends.true + sends.false} recovered sends are in the truth"
    least, most = found.fitted.confidence[0], found.fitted.confidence[-1]
    points = [least, *(point for point in POINTS if least < point < most), most]
    rows = [
        (
            f"{at:.3g}",
            f"{100 * found.fitted.at(at):.0f} of 100 cases",
            str(sum(at <= case.confidence < after for case in cases)),
        )
        for at, after in zip(points, [*points[1:], math.inf], strict=True)
    ]
    judged = [
        ("confidence as it is, as if it were a probability", found.ece_bare, found.brier_bare),
        ("the map, on songs that it was not fitted to", found.ece_mapped, found.brier_mapped),
        ("one share for all, likewise", math.nan, found.brier_base),
    ]
    return "\n".join(
        [
            RAW.format(sends=said),
            f"Of {len(cases)} recovered inserts with a confidence in {songs} songs {true} are in the truth, "
            f"{len(cases) - true} are not.",
            f"In {share(found.ranks)} of all pairs of one that is and one that is not, the former is surer "
            "(50 %: by chance).",
            "",
            bins_table(found.bins),
            "",
            table(
                ("", "expected calibration error", "Brier score"),
                [(name, _number(ece, 3), _number(brier, 3)) for name, ece, brier in judged],
            ),
            "",
            "The monotone map (isotonic regression over all songs); where few devices are, it is a guess:",
            "",
            table(("confidence", "found in the truth in", "devices from here to the next line"), rows),
            "",
        ]
    )


def report(how: str, songs: Sequence[SongScore], found: Calibration | None) -> str:
    """The whole file; `how`: what was recovered, and with which effort; `found`: None without any case."""
    cases = [case for song in songs for case in song.cases]

    types = summed(songs, lambda _, part: kind_of(part))
    sends = sum((tally for name, tally in types.items() if name.startswith("send")), Tally())
    calibration = calibration_text(found, cases, sends) if found else "No insert has a confidence.\n"
    return "\n".join(
        [
            how,
            "\n## Devices by type\n",
            parts_table("type", types),
            f"\n{PARTS_NOTES}",
            "## Settings\n",
            knobs_table(songs),
            f"\n{KNOBS_NOTES}",
            "## By instrument\n",
            parts_table("whose", summed(songs, whose)),
            "\nErrors of settings: median, 90 % (how many).\n",
            groups_table(songs),
            "\n## What the confidence is worth\n",
            calibration,
        ]
    )


def plot(songs: Sequence[SongScore], found: Calibration, path: Path) -> None:
    """The reliability diagram with the map, and precision and recall per type."""
    from matplotlib.figure import Figure  # an optional library, and slow to load

    figure = Figure(figsize=(10, 4), layout="constrained")
    reliability, types = figure.subplots(1, 2)
    middle = [one.confidence for one in found.bins]
    shares = [one.share for one in found.bins]
    bars = [
        [one.share - one.share_low for one in found.bins],
        [one.share_high - one.share for one in found.bins],
    ]
    reliability.errorbar(middle, shares, np.clip(bars, 0, None), fmt="o", capsize=3, label="counted, 95 %")
    for one in found.bins:
        where = (one.confidence, one.share)
        reliability.annotate(str(one.count), where, textcoords="offset points", xytext=(6, -10), fontsize=8)
    reliability.plot(found.fitted.confidence, found.fitted.share, color="C1", label="monotone map")
    even = np.geomspace(1e-4, max(1.0, found.fitted.confidence[-1]), 50)
    reliability.plot(even, np.minimum(even, 1), "--", color="0.6", label="if it were a probability")
    reliability.set_xscale("symlog", linthresh=1e-3)  # some are 0 or below
    reliability.set(xlabel="confidence (La)", ylabel="share in the truth", ylim=(-0.03, 1.05))
    reliability.legend(fontsize=8, loc="lower right")
    tallies = summed(songs, lambda _, part: kind_of(part))
    across = np.arange(len(tallies))
    for shift, name in ((-0.2, "precision"), (0.2, "recall")):
        values = [getattr(tally, name) or 0.0 for tally in tallies.values()]
        types.barh(across + shift, values, height=0.38, label=name)
    types.set_yticks(across, list(tallies))
    types.invert_yaxis()
    types.set(xlim=(0, 1), xlabel="share")
    types.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    figure.savefig(path, dpi=110)
