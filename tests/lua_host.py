"""Plays the Lua devices of an Ardour session in a real Lua 5.3, with stand-ins for the host's buffers alone.

Only what a script asks of Ardour is here, each thing as Ardour's manual says it works: control ports, audio
buffers, shared memory, vector arithmetic, the biquad (scipy's, in 64 bits) and the convolver (scipy's).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lupa.lua53
import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import fftconvolve

BLOCK_SAMPLES = 1000  # no power of two, and no divisor of anything
_HOST = """
local Buffer = {}
Buffer.__index = Buffer
local function buffer (data, first) return setmetatable ({ data = data, first = first }, Buffer) end
function Buffer:array ()
  local data, first = self.data, self.first
  if first == 0 then return data end
  return setmetatable ({}, {
    __index = function (_, i) return data[first + i] end,
    __newindex = function (_, i, v) data[first + i] = v end,
  })
end
function Buffer:offset (n) return buffer (self.data, self.first + n) end
function Buffer:sameinstance (other) return self.data == other.data and self.first == other.first end
function make_buffer () return buffer ({}, 0) end

local cells = {}
local function single (x) -- Veltkamp's rounding to the 24 bits of a 32-bit number
  local b = x * 536870913
  return b - (b - x)
end
local memory = buffer (setmetatable ({}, {
  __index = cells,
  __newindex = function (_, i, v) cells[i] = single (v) end,
}), 0)
local shared = {
  allocate = function (_, n) for i = 1, n do cells[i] = 0 end end,
  to_float = function (_, n) return memory:offset (n) end,
  clear = function () for i = 1, #cells do cells[i] = 0 end end,
}
self = { shmem = function () return shared end }

local Biquad = {}
Biquad.__index = Biquad
designed = {}
function Biquad:set_coefficients (a1, a2, b0, b1, b2)
  self.coefficients = { b0, b1, b2, a1, a2 }
  designed[#designed + 1] = self.coefficients
end
function Biquad:run (out, n)
  local c = self.coefficients
  for i = 1, n do
    local x = out.data[out.first + i]
    local y = c[1] * x + self.z1
    self.z1 = c[2] * x - c[4] * y + self.z2
    self.z2 = c[3] * x - c[5] * y
    out.data[out.first + i] = y
  end
end

ARDOUR = { DSP = {
  Biquad = function () return setmetatable ({ z1 = 0, z2 = 0 }, Biquad) end,
  IRSettings = function () return {} end,
  IRChannelConfig = { Stereo = "stereo" },
  Convolver = function (_, path, layout, settings)
    assert (layout == "stereo" and settings.gain == 1)
    local id = open_impulse (path)
    return { run_stereo_no_latency = function (_, left, right, n) convolve (id, left, right, n) end }
  end,
  copy_vector = function (to, from, n)
    table.move (from.data, from.first + 1, from.first + n, to.first + 1, to.data)
  end,
  apply_gain_to_buffer = function (to, n, gain)
    for i = to.first + 1, to.first + n do to.data[i] = to.data[i] * gain end
  end,
  mix_buffers_with_gain = function (to, from, n, gain)
    for i = 1, n do
      to.data[to.first + i] = to.data[to.first + i] + gain * from.data[from.first + i]
    end
  end,
} }
function ardour (about) end
function channels (n) return { n_audio = function () return n end } end
"""


@dataclass(frozen=True)
class Parameter:
    """A control as a script declares it; `unit`: empty for none."""

    name: str
    low: float
    high: float
    rest: float
    unit: str


class LuaDevice:
    """One script, loaded as Ardour loads it: the code outside its functions sees nothing of Ardour."""

    def __init__(self, text: str, session: Path | None = None) -> None:
        self.lua = lupa.lua53.LuaRuntime(unpack_returned_tuples=True)
        self.lua.execute("function ardour () end")
        self.lua.execute(text)
        self.lua.execute(_HOST)
        self.names = self.lua.globals()
        self._tails: list[tuple[NDArray[np.float64], list[NDArray[np.float64]]]] = []
        self.names.open_impulse, self.names.convolve = self._open_impulse, self._convolve
        self.names.Session = self.lua.table_from({"path": lambda _self: str(session)})

    def parameters(self) -> list[Parameter]:
        """What the device can be set to, in order."""
        return [
            Parameter(p["name"], p["min"], p["max"], p["default"], p["unit"] or "")
            for p in self.names.dsp_params().values()
        ]

    def shapes(self) -> set[tuple[int, int]]:
        """Numbers of channels that go in and come out."""
        return {(io["audio_in"], io["audio_out"]) for io in self.names.dsp_ioconfig().values()}

    def play(
        self, x: NDArray[np.float32], rate: int, values: Sequence[float], outputs: int = 0
    ) -> tuple[NDArray[np.float32], int]:
        """`(channels, samples)` through the device from silence, block by block, and its latency in samples.
        Ports hold 32-bit numbers, and so do buffers. `outputs`: channels that come out, if others go in."""
        count, names = outputs or len(x), self.names
        ports = self.lua.table_from([float(np.float32(value)) for value in values])
        names.CtrlPorts = self.lua.table_from({"array": lambda _self: ports})
        if names.dsp_init is not None:
            names.dsp_init(float(rate))
        names.dsp_configure(names.channels(len(x)), names.channels(count))
        played = np.empty((count, x.shape[1]), np.float32)
        for start in range(0, x.shape[1], BLOCK_SAMPLES):
            block = x[:, start : start + BLOCK_SAMPLES]
            buffers = [names.make_buffer() for _ in range(count)]  # in place, as Ardour runs its inserts
            for buffer, samples in zip(buffers, block, strict=False):
                buffer.data = self.lua.table_from(samples.astype(float).tolist())
            shared = self.lua.table_from(buffers)
            names.dsp_run(self.lua.table_from(buffers[: len(x)]), shared, block.shape[1])
            for channel, buffer in enumerate(buffers):
                played[channel, start : start + block.shape[1]] = list(buffer.data.values())
        return played, 0 if names.dsp_latency is None else int(names.dsp_latency())

    def _open_impulse(self, path: str) -> int:
        taps = soundfile.read(path, always_2d=True)[0].T
        pairs = (
            taps[[0, 1, 2, 3]] if len(taps) == 4 else np.stack([taps[0], 0 * taps[0], 0 * taps[1], taps[1]])
        )
        self._tails.append((pairs, [np.zeros(pairs.shape[1] - 1) for _ in range(2)]))
        return len(self._tails) - 1

    def _convolve(self, number: int, left: object, right: object, count: int) -> None:
        pairs, tails = self._tails[number]
        inputs = [np.array([b.data[b.first + i + 1] for i in range(count)]) for b in (left, right)]  # type: ignore[attr-defined]
        for ear, buffer in enumerate((left, right)):
            full = sum(fftconvolve(inputs[side], pairs[2 * side + ear]) for side in range(2))
            full[: len(tails[ear])] += tails[ear]
            tails[ear] = full[count:]
            for i, value in enumerate(full[:count].tolist(), start=1):
                buffer.data[buffer.first + i] = value  # type: ignore[attr-defined]
