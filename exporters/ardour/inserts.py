"""What stands on a route, in order, with the number of channels that each insert hears.

A width that is the last thing before a fader in the middle is the route's own panner. Devices behind the
fader are processors behind it; since a panner stands behind all of them, a pan is an insert there.
"""

from __future__ import annotations

from dataclasses import dataclass

from mix2daw.exporters.ardour import panner
from mix2daw.exporters.ardour.devices import MAKES_STEREO
from mix2daw.graph import Device, Strip


@dataclass(frozen=True)
class Insert:
    """A device on a route. `index`: in the strip's `all_devices()`, None for a pan that stands in for the
    panner; `channels`: at its input."""

    device: Device
    index: int | None
    channels: int


@dataclass(frozen=True)
class Chain:
    """The inserts before and behind the fader. `channels`: at the fader; `position`: fader and panner."""

    before: tuple[Insert, ...]
    behind: tuple[Insert, ...]
    channels: int
    position: panner.Position


def chain_of(strip: Strip, channels: int) -> Chain:
    """The inserts of a strip whose input has `channels` channels. A width does nothing to a mono signal."""
    level = 10 ** (strip.fader_db / 20)
    inserts, at_fader = _walk(strip.devices, range(len(strip.devices)), channels)
    before = tuple(inserts)
    if strip.post_devices:
        pan = Device(type="pan", values={"pan": strip.pan})
        is_needed = strip.pan != 0 or at_fader == 1
        stood_in = (Insert(pan, None, at_fader),) if is_needed else ()
        indices = range(len(strip.devices), len(strip.all_devices()))
        inserts, _ = _walk(strip.post_devices, indices, 2)
        return Chain(before, (*stood_in, *inserts), at_fader, panner.balance(level, level))
    if before and (side_lin := _panner_side(strip, before[-1])) is not None:
        return Chain(before[:-1], (), at_fader, panner.narrowed(level, side_lin))
    left, right = level * min(1.0, 1 - strip.pan), level * min(1.0, 1 + strip.pan)
    position = panner.mono(left, right) if at_fader == 1 else panner.balance(left, right)
    return Chain(before, (), at_fader, position)


def _walk(devices: tuple[Device, ...], indices: range, channels: int) -> tuple[list[Insert], int]:
    inserts: list[Insert] = []
    for index, device in zip(indices, devices, strict=True):
        if device.type == "width" and channels == 1:
            continue
        inserts.append(Insert(device, index, channels))
        if device.type in MAKES_STEREO:
            channels = 2
    return inserts, channels


def _panner_side(strip: Strip, last: Insert) -> float | None:
    """By how much the panner narrows the side, if it can stand for the last insert; None if it cannot."""
    device = last.device
    if device.type != "width" or strip.pan != 0 or any(send.tap == "pre" for send in strip.sends):
        return None
    if last.index != len(strip.devices) - 1:
        return None
    side_lin = 1 + device.wet * (device.values["width"] - 1)
    return side_lin if side_lin <= 1 else None
