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
    """One line: the type and its settings, e.g. `compressor: threshold -18 dB, ratio 4, attack 10 ms`."""
    parts = settings(device, sample_rate)
    return f"{device.type}: {', '.join(parts)}" if parts else device.type


def settings(device: Device, sample_rate: int) -> tuple[str, ...]:
    """What is set, one item each: of an equalizer its bands, of any other device every control, of an impulse
    response the name of its file, and the blend with the dry signal if there is one."""
    if device.type == "equalizer":
        parts = [describe_band(band) for band in active_bands(device.values, sample_rate)] or ["flat"]
    else:
        parts = [_control(name, value) for name, value in device.values.items()]
    if device.impulse is not None:
        parts.append(f"impulse {file_label(device.impulse)}")
    if device.wet != 1:
        parts.append(f"{device.wet:.0%} wet")
    return tuple(parts)


def describe_briefly(device: Device, sample_rate: int) -> str:
    """The type with the few settings that say most about it, for small boxes: `gate -42 dB 2.0:1`."""
    values = device.values
    words = [device.type]
    if device.type in ("compressor", "gate"):
        words += [f"{values['threshold_db']:.0f} dB", f"{values['ratio']:.1f}:1"]
    elif device.type == "equalizer":
        marks = {"high_pass": "HP", "low_pass": "LP"}
        bands = active_bands(device.values, sample_rate)
        words += [marks.get(band.kind) or _short_gain(band.gain_db) for band in bands] or ["flat"]
    elif device.type == "limiter":
        words.append(f"{values['ceiling_db']:.1f} dB")
    elif device.type == "width":
        words.append(f"{values['width']:.2f}")
    elif device.type == "delay":
        words.append(f"{values['delay_ms']:.0f} ms")
    elif device.type == "reverb":
        words.append(f"room {values['room_size']:.2f}")
    elif device.impulse is not None:
        words.append(clean_text(PurePosixPath(device.impulse).stem))
    if device.wet != 1:
        words.append(f"{device.wet:.0%} wet")
    return " ".join(words)


def file_label(path: str) -> str:
    """The name of a file on one line, without its folders: words that are passed on tell no paths."""
    return clean_text(PurePosixPath(path).name)


def pan_position(pan: float) -> str:
    """A pan (-1 to 1) as a desk shows it: `L30`, `C`, `R100`; `C` is the very middle alone."""
    return "C" if pan == 0 else f"{'L' if pan < 0 else 'R'}{abs(pan) * 100:.3g}"


def unit_of(control: str) -> str:
    """The unit that the suffix of a control's name says: `dB`, `dB/oct`, `Hz`, `ms`; empty for none."""
    if control.endswith("_slope_db"):
        return "dB/oct"
    return next((unit for suffix, unit in _UNITS.items() if control.endswith(suffix)), "")


def describe_band(band: Band) -> str:
    """One band, e.g. `bell 900 Hz -6.0 dB Q 2.00` or `high pass 80 Hz 12 dB/oct`."""
    name = f"{_BAND_NAMES[band.kind]} {band.freq_hz:.0f} Hz"
    if band.is_filter:
        return f"{name} {band.slope_db} dB/oct"
    return f"{name} {band.gain_db:+.1f} dB Q {band.q:.2f}"


def describe_strip(strip: Strip, sample_rate: int) -> str:
    """Everything set on a strip, in the order of the signal, one item a line; of a device its confidence,
    too, where it was measured."""
    lines = source_words(strip)
    lines += [_with_confidence(device, sample_rate) for device in strip.devices]
    lines.append(f"fader {strip.fader_db:+.2f} dB")
    if strip.pan:
        lines.append(f"pan {strip.pan:+.2f} (balance, 0 dB law)")
    lines += [f"after the fader: {_with_confidence(device, sample_rate)}" for device in strip.post_devices]
    lines += [f"{send.tap} send to {send.target} {send.level_db:+.2f} dB" for send in strip.sends]
    return "\n".join(lines)


def source_words(strip: Strip) -> list[str]:
    """What is set at the head of a track: muted, polarity, stretch; nothing for what rests."""
    words = ["muted"] if strip.muted else []
    words += ["polarity inverted"] if strip.polarity == "inverted" else []
    words += [f"stretched by {strip.stretch_ppm:+.2f} ppm"] if strip.stretch_ppm else []
    return words


def _with_confidence(device: Device, sample_rate: int) -> str:
    line = describe(device, sample_rate)
    return line if device.confidence is None else f"{line} (confidence {device.confidence:.3f})"


def _short_gain(gain_db: float) -> str:
    return f"{gain_db:+.0f}" if abs(gain_db) >= 0.95 else f"{gain_db:+.1f}"


def _control(name: str, value: float) -> str:
    if name in _CHOICES:
        return _CHOICES[name][int(value)]
    for suffix, unit in _UNITS.items():
        if name.endswith(suffix):
            return f"{name.removesuffix(suffix).replace('_', ' ')} {value:.4g} {unit}"
    return f"{name.replace('_', ' ')} {value:.4g}"
