"""The residual over time and band as a picture, in colours that can lie on a light and on a dark page."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from mix2daw.report.measure import LOWEST_HZ, OCTAVES, Floats
from mix2daw.report.plots import Plot, Scale, time_labels

LOW_DB, HIGH_DB, LEVELS = -30.0, 0.0, 64
# From next to nothing to as loud as the mix: red, green, blue, opacity.
STOPS = ((24, 130, 140, 0), (24, 130, 140, 150), (214, 160, 30, 220), (216, 70, 40, 245), (170, 10, 60, 255))


def heat_plot(cells: Floats, name: str, length_s: float, worst: str) -> Plot:
    """Cells (bands, columns) in dB against the mix, low bands at the bottom; `worst`: in words, where most
    is."""
    scale = (np.clip(cells[::-1], LOW_DB, HIGH_DB) - LOW_DB) / (HIGH_DB - LOW_DB)
    picture = png(np.round(scale * (LEVELS - 1)).astype(np.uint8), palette())
    data = base64.b64encode(picture).decode("ascii")
    image = Markup(
        '<image href="data:image/png;base64,{}" width="1000" height="1000" preserveAspectRatio="none"/>'
    ).format(data)
    high_hz = LOWEST_HZ * 2.0**OCTAVES
    bands = Scale(LOWEST_HZ, high_hz, log=True, upright=True)
    labels = [(125.0, "125"), (500.0, "500"), (2000.0, "2k"), (8000.0, "8k")]
    times = Scale(0, length_s)
    label = f"Residual of the {name} over time and frequency, in dB against the mix. {worst}"
    return Plot(label, image, times.ticks(time_labels(length_s)), bands.ticks(labels), "heat")


def palette() -> NDArray[np.uint8]:
    """Colours (levels, 4)."""
    where = np.linspace(0, len(STOPS) - 1, LEVELS)
    stops = np.array(STOPS, np.float64)
    channels = [np.interp(where, np.arange(len(STOPS)), stops[:, channel]) for channel in range(4)]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8)


def gradient() -> str:
    """The colours as a CSS gradient, for the legend."""
    parts = [f"rgba({r},{g},{b},{a / 255:.2f})" for r, g, b, a in STOPS]
    return f"linear-gradient(90deg,{','.join(parts)})"


def png(indices: NDArray[np.uint8], colours: NDArray[np.uint8]) -> bytes:
    """A picture (rows, columns) of indices into colours (number, 4), as PNG (ISO 15948)."""
    rows, width = indices.shape
    lines = np.concatenate([np.zeros((rows, 1), np.uint8), indices], axis=1)  # no filter in any row
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, rows, 8, 3, 0, 0, 0)),
        (b"PLTE", colours[:, :3].tobytes()),
        (b"tRNS", colours[:, 3].tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    ]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
