"""Settings in plain words, for track comments, device names and lists of what was lost."""

from __future__ import annotations

from pathlib import PurePosixPath

from mix2daw.exporters.bands import Band, active_bands
from mix2daw.exporters.names import clean_text
from mix2daw.graph import Device, Strip

_UNITS = {"_db": "dB", "_hz": "Hz", "_ms": "ms", "_s": "s", "_samples": "samples"}
_CHOICES = {"link": ("unlinked", "linked")}
_BAND_NAMES = {
    "high_pass": "high pass",
    "low_shelf": "low shelf",
    "bell": "bell",
    "high_shelf": "high shelf",
    "low_pass": "low pass",
}


def describe(device: Device, sample_rate: int) -> str:
    """One line: the type and its settings, e.g. `compressor: threshold -18 dB, ratio 4, attack 10 ms`; of an
    impulse response the name of its file."""
    if device.type == "equalizer":
        parts = [describe_band(band) for band in active_bands(device.values, sample_rate)] or ["flat"]
    else:
        parts = [_control(name, value) for name, value in device.values.items()]
    if device.impulse is not None:
        parts.append(f"impulse {clean_text(PurePosixPath(device.impulse).name)}")
    if device.wet != 1:
        parts.append(f"{device.wet:.0%} wet")
    return f"{device.type}: {', '.join(parts)}" if parts else device.type


def describe_band(band: Band) -> str:
    """One band, e.g. `bell 900 Hz -6.0 dB Q 2.00` or `high pass 80 Hz 12 dB/oct`."""
    name = f"{_BAND_NAMES[band.kind]} {band.freq_hz:.0f} Hz"
    if band.is_filter:
        return f"{name} {band.slope_db} dB/oct"
    return f"{name} {band.gain_db:+.1f} dB Q {band.q:.2f}"


def describe_strip(strip: Strip, sample_rate: int) -> str:
    """Everything set on a strip, in the order of the signal, one item a line."""
    lines = [describe(device, sample_rate) for device in strip.devices]
    lines.append(f"fader {strip.fader_db:+.2f} dB")
    if strip.pan:
        lines.append(f"pan {strip.pan:+.2f} (balance, 0 dB law)")
    lines += [f"after the fader: {describe(device, sample_rate)}" for device in strip.post_devices]
    lines += [f"{send.tap} send to {send.target} {send.level_db:+.2f} dB" for send in strip.sends]
    return "\n".join(lines)


def _control(name: str, value: float) -> str:
    if name in _CHOICES:
        return _CHOICES[name][int(value)]
    for suffix, unit in _UNITS.items():
        if name.endswith(suffix):
            return f"{name.removesuffix(suffix).replace('_', ' ')} {value:.4g} {unit}"
    return f"{name.replace('_', ' ')} {value:.4g}"
