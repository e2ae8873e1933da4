"""A song as the comparisons need it: stems that can be used, on the clock of the mix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mix2daw.spool import Kept
from mix2daw.stems import AudioFile, Signal


@dataclass(frozen=True)
class Stem:
    """A stem that sounds. `audio`: `(1 or 2, samples)` at the mix's rate, mono if its channels are the same;
    once it is placed, on the mix's time line and as long."""

    file: AudioFile
    audio: Kept

    @property
    def path(self) -> Path:
        """Its file."""
        return self.file.path

    @property
    def name(self) -> str:
        """The name of its file: two files may be one track."""
        return self.file.path.name


@dataclass(frozen=True)
class Song:
    """`mix` (2, samples) of the file `mix_path`, and stems that are placed in it."""

    sample_rate: int
    mix: Signal
    mix_path: Path
    stems: tuple[Stem, ...]

    @property
    def samples(self) -> int:
        """The length of the mix."""
        return int(self.mix.shape[1])

    def part(self, first: int, last: int) -> tuple[list[Tensor], Tensor]:
        """All stems and the mix from one sample up to another."""
        stems = [torch.from_numpy(stem.audio.part(first, last)) for stem in self.stems]
        return stems, torch.from_numpy(self.mix[:, first:last])


class Sounds(Mapping[str, Tensor]):
    """The audio of the stems of a song by name, read whenever it is asked for."""

    def __init__(self, song: Song) -> None:
        self._stems = {stem.name: stem for stem in song.stems}

    def __getitem__(self, name: str) -> Tensor:
        return torch.from_numpy(self._stems[name].audio.read())

    def __iter__(self) -> Iterator[str]:
        return iter(self._stems)

    def __len__(self) -> int:
        return len(self._stems)
