"""A session before it is written in any format: channels with native devices, clips and mutes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mix2daw.exporters.media import Clip
from mix2daw.graph import Strip


@dataclass(frozen=True)
class Channel:
    """One channel of the session. `strip`: what is played natively (the format holds its devices, fader, pan
    and sends; it has post_devices only in a format with inserts behind the fader); `clip`: the audio of a
    track; `comment`: settings in words; `is_reference`: a track to compare with, no strip of the graph."""

    strip: Strip
    clip: Clip | None
    muted: bool
    comment: str
    is_reference: bool = False

    @property
    def name(self) -> str:
        """The name that the session shows: one line, no two alike."""
        return self.strip.name


@dataclass(frozen=True)
class Plan:
    """All channels in the order a person reads them; outputs and sends name channels of the plan."""

    sample_rate: int
    length_samples: int
    channels: tuple[Channel, ...]

    @property
    def master(self) -> Channel:
        """The channel that everything ends in."""
        return next(channel for channel in self.channels if channel.strip.kind == "master")

    def inputs(self, name: str) -> tuple[Channel, ...]:
        """Channels whose output is `name`, in order."""
        return tuple(channel for channel in self.channels if channel.strip.output == name)

    def tree(self) -> Iterator[tuple[Channel, int]]:
        """Every channel but the master, parents before their inputs, with its depth (0: feeds the master)."""
        return self._below(self.master.name, 0)

    def _below(self, name: str, depth: int) -> Iterator[tuple[Channel, int]]:
        for channel in self.inputs(name):
            yield channel, depth
            yield from self._below(channel.name, depth + 1)

    def seconds(self, samples: int) -> float:
        """A number of samples in seconds."""
        return samples / self.sample_rate
