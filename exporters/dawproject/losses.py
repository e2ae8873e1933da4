"""What the generic devices of DAWproject do not hold, and what a host will play nearly."""

from __future__ import annotations

from mix2daw.exporters import Lost
from mix2daw.exporters.bands import BUTTERWORTH_Q, active_bands
from mix2daw.exporters.dawproject.project import SEND_MAX_LIN, VOLUME_MAX_LIN, linear
from mix2daw.exporters.plan import Channel
from mix2daw.graph import Strip

HELD = ("equalizer", "compressor", "gate", "limiter")
_DYNAMICS_REASON = (
    "the generic device has no detector or knee in its definition, and every host plays its own; times are "
    "written as time constants, the set times / 2 pi"
)
_EQUALIZER_REASON = "DAWproject does not define the shape of bells and filters, and every host plays its own"
_SHELF_REASON = "DAWproject does not define the Q of a shelf; at 0.7071 all conventions agree"


def refuse(strip: Strip, index: int, sample_rate: int) -> str | None:
    """Why the generic devices do not hold an insert; None if they do."""
    device = strip.devices[index]
    if device.type not in HELD:
        return f"DAWproject has no {device.type}"
    if device.type == "equalizer":
        slopes = {band.slope_db for band in active_bands(device.values, sample_rate) if band.is_filter}
        if 6 in slopes:
            return "a DAWproject equalizer has no filters of 6 dB an octave"
    return None


def approximate(channel: Channel, sample_rate: int) -> list[Lost]:
    """What a host will play nearly, but not exactly, as the graph."""
    strip = channel.strip
    found: list[Lost] = []
    for device in strip.devices:
        reason = _DYNAMICS_REASON
        if device.type == "equalizer":
            bands = active_bands(device.values, sample_rate)
            odd = any("shelf" in band.kind and abs(band.q - BUTTERWORTH_Q) > 1e-3 for band in bands)
            reason = _SHELF_REASON if odd else _EQUALIZER_REASON
        found.append(Lost(strip.name, device.type, "approximate", reason))
    if strip.pan != 0:
        reason = "DAWproject names no pan law; the host applies its own (the graph: balance, 0 dB)"
        found.append(Lost(strip.name, "pan", "approximate", reason))
    if linear(strip.fader_db) > VOLUME_MAX_LIN:
        found.append(Lost(strip.name, "fader", "approximate", "above +6 dB, where a host may stop"))
    found += [
        Lost(strip.name, f"send to {send.target}", "approximate", "above 0 dB, where a host may stop")
        for send in strip.sends
        if linear(send.level_db) > SEND_MAX_LIN
    ]
    return found
