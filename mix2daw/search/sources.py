"""The audio of a session, as a search hears it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from mix2daw.session import Session


class Sources(Mapping[str, Tensor]):
    """The audio of every track on a device, read whenever it is asked for."""

    def __init__(self, session: Session, device: torch.device) -> None:
        self._tracks = {track.name: track for track in session.tracks}
        self._device = device

    def __getitem__(self, name: str) -> Tensor:
        return torch.from_numpy(self._tracks[name].signal).to(self._device)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tracks)

    def __len__(self) -> int:
        return len(self._tracks)
