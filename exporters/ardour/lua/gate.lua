ardour {
  ["type"] = "dsp", name = "mix2daw gate", category = "Dynamics", license = "MIT", author = "mix2daw",
  description = [[A downward expander: below the threshold a level falls `ratio` times as fast. The detector is a
mean square of 50 ms, then attack and release; channels are unlinked.]]
}

-- A time of 100 ms is a time constant of 100 / (2 pi) = 15.9 ms.
-- Numbers are rounded to 32 bits where mix2daw rounds them: an envelope that falls slowly hears that.
-- x rounded is b - (b - x) with b = x * SPLIT (Veltkamp's splitting), written out where it is done per sample.
local SPLIT = 536870913
local SILENCE = 1e-30
local WINDOW_MS = 50

local rate, channels = 48000, 0
local powers, envelopes = {}, {}

function dsp_ioconfig ()
  return { { audio_in = -1, audio_out = -1 } }
end

function dsp_params ()
  return {
    { ["type"] = "input", name = "Threshold (dB)", min = -90, max = 0, default = -90, unit = "dB" },
    { ["type"] = "input", name = "Ratio", min = 1, max = 20, default = 1, logarithmic = true },
    { ["type"] = "input", name = "Attack (ms)", min = 0.1, max = 300, default = 10, logarithmic = true },
    { ["type"] = "input", name = "Release (ms)", min = 5, max = 3000, default = 100, logarithmic = true },
    { ["type"] = "input", name = "Wet", min = 0, max = 1, default = 1 },
  }
end

function dsp_init (samples_per_second)
  rate = samples_per_second
end

function dsp_configure (ins, outs)
  channels = ins:n_audio ()
  for c = 1, channels do
    powers[c], envelopes[c] = 0, 0
  end
end

local function single (x)
  local b = x * SPLIT
  return b - (b - x)
end

local function coefficient (ms)
  return single (math.exp (-2 * math.pi * (1000 / rate) / ms))
end

local function gated (x, y, n, power, e, window, attack, release, threshold, inverse, slope, wet, dry)
  for i = 1, n do
    local v = x[i]
    local square = v * v
    local b = square * SPLIT
    square = b - (b - square)
    if square > power then
      power = square
    else
      local t = power - square
      b = t * SPLIT
      t = window * (b - (b - t))
      b = t * SPLIT
      power = square + (b - (b - t))
      b = power * SPLIT
      power = b - (b - power)
      if power < SILENCE then power = 0 end
    end
    local a = power ^ 0.5
    b = a * SPLIT
    a = b - (b - a)
    local t = e - a
    b = t * SPLIT
    t = (a > e and attack or release) * (b - (b - t))
    b = t * SPLIT
    e = a + (b - (b - t))
    b = e * SPLIT
    e = b - (b - e)
    if e < SILENCE then e = 0 end
    local w = v
    if e <= threshold and slope > 0 then
      t = e * inverse
      b = t * SPLIT
      t = (b - (b - t)) ^ slope
      b = t * SPLIT
      w = v * (b - (b - t))
    end
    if wet < 1 then
      y[i] = single (wet * single (w)) + single (dry * v)
    else
      y[i] = w
    end
  end
  return power, e
end

function dsp_run (ins, outs, n)
  local p = CtrlPorts:array ()
  local attack, release, window = coefficient (p[3]), coefficient (p[4]), coefficient (WINDOW_MS)
  local threshold = single (10 ^ single (p[1] * single (0.05)))
  local inverse = single (1 / threshold)
  local slope = single (p[2] - 1)
  local wet, dry = p[5], single (1 - p[5])
  for c = 1, channels do
    powers[c], envelopes[c] = gated (
      ins[c]:array (), outs[c]:array (), n, powers[c], envelopes[c],
      window, attack, release, threshold, inverse, slope, wet, dry
    )
  end
end
