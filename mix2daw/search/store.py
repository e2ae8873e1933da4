"""Where a search stands, kept on a disk after every step, so that it can go on in another process.

`search.json` has the graphs and the numbers, `N.npy` the impulse responses in the order they were found.
JSON holds every float64 exactly. A file appears under its name when it is whole.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch

from mix2daw.controls import Controls
from mix2daw.errors import InputError
from mix2daw.graph import Graph
from mix2daw.search.promise import Rise
from mix2daw.search.state import State

STATE_FILE = "search.json"
GRAPHS = ("full", "fitted", "graph")
NUMBERS = ("la_start", "la_console", "linear_ceiling")
RECORDS = ("descends", "out_of_time", "shifting", "descent", "refused", "seconds", "trace")


class Store:
    """A place for one search. `folder`: where to keep it (None: nowhere); `fingerprint`: of all that the
    search depends on; `resume`: whether to go on from what is there; `inputs`: the SHA-256 of each file that
    it reads, by its path."""

    def __init__(
        self,
        folder: Path | None = None,
        fingerprint: str = "",
        resume: bool = False,
        inputs: Mapping[str, str] | None = None,
    ) -> None:
        self.folder, self.fingerprint, self.resume = folder, fingerprint, resume
        self.inputs = dict(inputs or {})
        self._written, self._told = 0, False

    @property
    def left(self) -> bool:
        """Whether a search, this one or another, was left here."""
        return self.folder is not None and (self.folder / STATE_FILE).exists()

    def restore(self, state: State) -> int:
        """Set the state to what was kept of the same search; returns how many steps were done by then.

        Raises InputError if the search that was kept is of other stems or another mix: nobody who wants to go
        on wants to lose it. One with other settings makes way.
        """
        kept = self._read() if self.resume else None
        if kept is None or self.folder is None:
            return 0
        self._check_inputs(kept.get("inputs", {}))
        if kept.get("fingerprint") != self.fingerprint:
            state.progress.say("what an earlier run left is of other settings; the search begins anew")
            return 0
        try:
            impulses = [np.load(self.folder / f"{number}.npy") for number in range(len(kept["impulses"]))]
        except (OSError, ValueError):
            state.progress.say(f"{self.folder}: what is kept there is not whole; the search begins anew")
            return 0
        paths = dict(zip(kept["impulses"], map(torch.from_numpy, impulses), strict=True))
        state.impulses.update(paths)
        self._written = len(impulses)
        state.full, state.fitted, graph = (_graph(kept[name]) for name in GRAPHS)
        state.graph, state.controls = graph, Controls(graph, state.impulses, state.device)
        for name in NUMBERS:
            setattr(state, name, kept[name])
        state.descends, state.out_of_time = kept["descends"], kept["out_of_time"]
        state.shifting = kept.get("shifting", [])
        if kept["agreement"] is not None:
            state.trust(torch.tensor(kept["agreement"], dtype=getattr(torch, kept["agreement_type"])))
        state.rises = Rise(**kept["rises"][0]), Rise(**kept["rises"][1])
        state.descent, state.refused, state.seconds = kept["descent"], kept["refused"], kept["seconds"]
        state.trace = [(stage, la, devices) for stage, la, devices in kept["trace"]]
        state.checkpoints.kept = [(_graph(graph), la) for graph, la in kept["checkpoints"]]
        version, internal, gauss = kept["generator"]
        state.generator.setstate((version, tuple(internal), gauss))
        state.started -= kept["elapsed_s"]
        state.progress.say(f"going on after {kept['elapsed_s']:.0f} s of an earlier run")
        return int(kept["done"])

    def keep(self, state: State, done: int) -> None:
        """Keep the state after `done` steps. A disk that is full is told once, and stops nothing: what was
        kept before stays, and the next step is tried again."""
        if self.folder is None:
            return
        try:
            self._write(self.folder, state, done)
        except OSError as error:
            if not self._told:
                reason = error.strerror or error
                state.progress.say(f"{self.folder}: cannot keep where the search stands ({reason}); going on")
            self._told = True

    def _read(self) -> dict[str, Any] | None:
        """What was kept; None if there is nothing that can be read."""
        if self.folder is None:
            return None
        try:
            kept: dict[str, Any] = json.loads((self.folder / STATE_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return kept

    def _check_inputs(self, then: Mapping[str, str]) -> None:
        """Raise InputError unless the files are those of the search that was kept."""
        for path in sorted({*then, *self.inputs}):
            if then.get(path) != self.inputs.get(path):
                if path not in self.inputs:
                    what = "is not among the stems any more"
                else:
                    what = "has changed" if path in then else "is new"
                since = "since the run that --resume would go on from"
                raise InputError(path, f"{what} {since}", "put it as it was, or begin anew without --resume")

    def _write(self, folder: Path, state: State, done: int) -> None:
        impulses = list(state.impulses.values())
        for number in range(self._written, len(impulses)):
            with (folder / f"{number}.npy").open("wb") as file:
                np.save(file, impulses[number].cpu().numpy())
                _settle(file)
        self._written = len(impulses)
        agreement = state.agreement
        content = {
            "fingerprint": self.fingerprint,
            "inputs": self.inputs,
            "done": done,
            "elapsed_s": time.monotonic() - state.started,
            "impulses": list(state.impulses),
            **{name: _json(getattr(state, name)) for name in GRAPHS},
            **{name: getattr(state, name) for name in (*NUMBERS, *RECORDS)},
            "agreement": None if agreement is None else agreement.tolist(),
            "agreement_type": "" if agreement is None else str(agreement.dtype).removeprefix("torch."),
            "rises": [asdict(rise) for rise in state.rises],
            "checkpoints": [(_json(graph), la) for graph, la in state.checkpoints.kept],
            "generator": state.generator.getstate(),
        }
        partial = folder / f"{STATE_FILE}.part"
        try:
            with partial.open("w", encoding="utf-8") as file:
                file.write(json.dumps(content))
                _settle(file)
            os.replace(partial, folder / STATE_FILE)
        finally:
            partial.unlink(missing_ok=True)


def _settle(file: IO[Any]) -> None:
    """Have the disk hold what was written, so that no power cut leaves a name without its content."""
    file.flush()
    os.fsync(file.fileno())


def _json(graph: Graph) -> dict[str, Any]:
    return graph.model_dump(mode="json", by_alias=True)


def _graph(kept: dict[str, Any]) -> Graph:
    return Graph.model_validate(kept)
