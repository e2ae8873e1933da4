ardour {
  ["type"] = "dsp", name = "mix2daw compressor", category = "Dynamics", license = "MIT", author = "mix2daw",
  description = [[Feed-forward, peak detector, hard knee, no make-up gain. Unlinked: each channel has a detector
of its own. Linked: one detector hears the louder channel, and both channels get its gain.]]
}

-- A time of 100 ms is a time constant of 100 / (2 pi) = 15.9 ms.
-- Numbers are rounded to 32 bits where mix2daw rounds them: an envelope that falls slowly hears that.
-- x rounded is b - (b - x) with b = x * SPLIT (Veltkamp's splitting), written out where it is done per sample.
local SPLIT = 536870913
local SILENCE = 1e-30

local rate, channels = 48000, 0
local envelopes = {}

function dsp_ioconfig ()
  return { { audio_in = -1, audio_out = -1 } }
end

function dsp_params ()
  return {
    { ["type"] = "input", name = "Threshold (dB)", min = -60, max = 0, default = 0, unit = "dB" },
    { ["type"] = "input", name = "Ratio", min = 1, max = 20, default = 1, logarithmic = true },
    { ["type"] = "input", name = "Attack (ms)", min = 0.1, max = 300, default = 10, logarithmic = true },
    { ["type"] = "input", name = "Release (ms)", min = 5, max = 3000, default = 100, logarithmic = true },
    { ["type"] = "input", name = "Link", min = 0, max = 1, default = 0, toggled = true },
    { ["type"] = "input", name = "Wet", min = 0, max = 1, default = 1 },
  }
end

function dsp_init (samples_per_second)
  rate = samples_per_second
end

function dsp_configure (ins, outs)
  channels = ins:n_audio ()
  for c = 1, channels do
    envelopes[c] = 0
  end
end

local function single (x)
  local b = x * SPLIT
  return b - (b - x)
end

local function coefficient (ms)
  return single (math.exp (-2 * math.pi * (1000 / rate) / ms))
end

local function unlinked (x, y, n, e, attack, release, threshold, inverse, slope, wet, dry)
  for i = 1, n do
    local v = x[i]
    local a = v < 0 and -v or v
    local t = e - a
    local b = t * SPLIT
    t = (a > e and attack or release) * (b - (b - t))
    b = t * SPLIT
    e = a + (b - (b - t))
    b = e * SPLIT
    e = b - (b - e)
    if e < SILENCE then e = 0 end
    local w = v
    if e >= threshold then
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
  return e
end

local function linked (x, x2, y, y2, n, e, attack, release, threshold, inverse, slope, wet, dry)
  for i = 1, n do
    local v, v2 = x[i], x2[i]
    local a, a2 = v < 0 and -v or v, v2 < 0 and -v2 or v2
    if a2 > a then a = a2 end
    local t = e - a
    local b = t * SPLIT
    t = (a > e and attack or release) * (b - (b - t))
    b = t * SPLIT
    e = a + (b - (b - t))
    b = e * SPLIT
    e = b - (b - e)
    if e < SILENCE then e = 0 end
    local w, w2 = v, v2
    if e >= threshold and a > SILENCE then
      t = e * inverse
      b = t * SPLIT
      t = (b - (b - t)) ^ slope
      b = t * SPLIT
      t = a * (b - (b - t))
      b = t * SPLIT
      local gain = (b - (b - t)) / a -- the one that the louder channel has once it is rounded
      w, w2 = v * gain, v2 * gain
    end
    if wet < 1 then
      y[i] = single (wet * single (w)) + single (dry * v)
      y2[i] = single (wet * single (w2)) + single (dry * v2)
    else
      y[i], y2[i] = w, w2
    end
  end
  return e
end

function dsp_run (ins, outs, n)
  local p = CtrlPorts:array ()
  local attack, release = coefficient (p[3]), coefficient (p[4])
  local threshold = single (10 ^ single (p[1] * single (0.05)))
  local inverse = single (1 / threshold)
  local slope = single (single (1 / p[2]) - 1)
  local wet, dry = p[6], single (1 - p[6])
  if channels == 2 and p[5] > 0.5 then
    envelopes[1] = linked (
      ins[1]:array (), ins[2]:array (), outs[1]:array (), outs[2]:array (), n, envelopes[1],
      attack, release, threshold, inverse, slope, wet, dry
    )
    envelopes[2] = envelopes[1]
    return
  end
  for c = 1, channels do
    envelopes[c] = unlinked (
      ins[c]:array (), outs[c]:array (), n, envelopes[c],
      attack, release, threshold, inverse, slope, wet, dry
    )
  end
end
