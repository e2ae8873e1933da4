"""The published experiments on a corpus of one's own, as a picture."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mix2daw.errors import FormatError
from mix2daw.experiments import published
from mix2daw.experiments.paper_tables import Rows, mean
from mix2daw.experiments.plan import Plan, console_name

OURS, THEIRS = "this corpus", "published, other songs"


def check_plots() -> None:
    """Raise FormatError if what draws is not installed."""
    if find_spec("matplotlib") is None:
        remedy = "pip install 'mix2daw[bench]'"
        raise FormatError("benchmark", "needs matplotlib, which is not installed", remedy)


def plot(planned: Plan, found: Rows, path: Path) -> None:
    """Write it as PNG: La over consoles that grow; La over what is pruned, by strategy; La of each song from
    seed to seed."""
    from matplotlib.figure import Figure  # an optional library, and slow to load

    figure = Figure(figsize=(13, 4.2), layout="constrained")
    consoles, pruning, seeds = figure.subplots(1, 3)
    _consoles(consoles, planned, found)
    _pruning(pruning, planned, found)
    _seeds(seeds, planned, found)
    for axes in (consoles, pruning, seeds):
        axes.grid(alpha=0.3)
    figure.savefig(path, format="png", dpi=110, metadata={"Software": None})


def _consoles(axes: Any, planned: Plan, found: Rows) -> None:
    shown = {
        type_: mean(found[search.name], "la_full")
        for type_, search in planned.consoles.items()
        if search.name in found
    }
    axes.plot([console_name(type_) for type_ in shown], list(shown.values()), "o-", label=OURS)
    theirs = {console_name(type_): la for type_, la in published.CONSOLES.items() if type_ in shown}
    axes.plot(list(theirs), list(theirs.values()), "s--", color="0.6", label=THEIRS)
    axes.tick_params(axis="x", rotation=40)
    axes.set(title="Consoles that grow", ylabel="La before pruning", ylim=(0, None))
    axes.legend(fontsize=8)


def _pruning(axes: Any, planned: Plan, found: Rows) -> None:
    strategies = dict.fromkeys(strategy for strategy, _ in planned.pruning)
    for strategy in strategies:
        points = sorted(
            (tolerance, mean(found[search.name], "pruned_share"), mean(found[search.name], "la_full"))
            for (name, tolerance), search in planned.pruning.items()
            if name == strategy and search.name in found
        )
        axes.plot([share for _, share, _ in points], [la for *_, la in points], "o-", label=strategy)
        for tolerance, share, la in points:
            axes.annotate(
                f"{tolerance:g}", (share, la), textcoords="offset points", xytext=(4, 4), fontsize=7
            )
    axes.set(title="Strategies, by tolerance", xlabel="ρ, share pruned", ylabel="La")
    axes.legend(fontsize=8)


def _seeds(axes: Any, planned: Plan, found: Rows) -> None:
    by_seed = {
        str(seed): {row["song"]: row["la_full"] for row in found[search.name]}
        for seed, search in planned.seeds.items()
        if search.name in found
    }
    songs = next(iter(by_seed.values()), {})
    for song in songs:
        axes.plot(list(by_seed), [of[song] for of in by_seed.values()], "o-", color="C0", alpha=0.4)
    axes.set(title="Seeds, a line for each song", xlabel="seed", ylabel="La", ylim=(0, None))
