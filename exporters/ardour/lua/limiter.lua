ardour {
  ["type"] = "dsp", name = "mix2daw limiter", category = "Dynamics", license = "MIT", author = "mix2daw",
  description = [[A brick wall with linked channels and a lookahead, whose latency is reported.]]
}

-- With the ceiling c, the peak p and t = min(1, c / p), the gain g starts at 1:
--   t < g: g = t, held for the lookahead; else p > c: held for the lookahead; else while held: g stays;
--   else g grows by (1 - k) (1 - g).
-- Numbers are rounded to 32 bits where mix2daw rounds them: a slow release hears that.
local SPLIT = 536870913
local LONGEST_MS = 20

local rate, channels = 48000, 0
local lookahead, at = 0, 1
local gain, held = 1, 0
local lines = {}

function dsp_ioconfig ()
  return { { audio_in = 1, audio_out = 1 }, { audio_in = 2, audio_out = 2 } }
end

function dsp_params ()
  return {
    { ["type"] = "input", name = "Ceiling (dB)", min = -24, max = 24, default = 24, unit = "dB" },
    { ["type"] = "input", name = "Release (ms)", min = 1, max = 2000, default = 100, logarithmic = true },
    { ["type"] = "input", name = "Lookahead (ms)", min = 0.1, max = 20, default = 5, logarithmic = true },
    { ["type"] = "input", name = "Wet", min = 0, max = 1, default = 1 },
  }
end

function dsp_init (samples_per_second)
  rate = samples_per_second
end

local function prepare (samples)
  lookahead, at = samples, 1
  for c = 1, channels do
    for i = 1, samples do
      lines[c][i] = 0
    end
  end
end

function dsp_configure (ins, outs)
  channels = ins:n_audio ()
  gain, held = 1, 0
  for c = 1, channels do
    lines[c] = {}
    for i = 1, math.ceil (LONGEST_MS * rate / 1000) + 1 do
      lines[c][i] = 0
    end
  end
  prepare (math.floor (CtrlPorts:array ()[3] * rate / 1000))
end

function dsp_latency ()
  return lookahead
end

local function single (x)
  local b = x * SPLIT
  return b - (b - x)
end

function dsp_run (ins, outs, n)
  local p = CtrlPorts:array ()
  local wanted = math.floor (p[3] * rate / 1000)
  if wanted ~= lookahead then prepare (wanted) end
  local ceiling = single (10 ^ (p[1] / 20))
  local release = single (1 - single (math.exp (-1 / math.floor (p[2] * rate / 1000))))
  local wet, dry = p[4], single (1 - p[4])
  local stereo = channels == 2
  local x, y, line = ins[1]:array (), outs[1]:array (), lines[1]
  local x2, y2, line2 = x, y, line
  if stereo then
    x2, y2, line2 = ins[2]:array (), outs[2]:array (), lines[2]
  end
  local g, hold, k = gain, held, at
  for i = 1, n do
    local v = x[i]
    local v2 = stereo and x2[i] or v
    local peak = v < 0 and -v or v
    local other = v2 < 0 and -v2 or v2
    if other > peak then peak = other end
    local over = peak > ceiling
    local target = 1
    if over then
      local t = ceiling / peak
      local b = t * SPLIT
      target = b - (b - t)
    end
    if target < g then
      g, hold = target, lookahead
    elseif over then
      hold = lookahead
    elseif hold > 0 then
      hold = hold - 1
    elseif g < 1 then
      local t = 1 - g
      local b = t * SPLIT
      t = release * (b - (b - t))
      b = t * SPLIT
      g = g + (b - (b - t))
      b = g * SPLIT
      g = b - (b - g)
    end
    local late = line[k]
    line[k] = v
    y[i] = wet < 1 and single (wet * single (late * g)) + single (dry * late) or late * g
    if stereo then
      late = line2[k]
      line2[k] = v2
      y2[i] = wet < 1 and single (wet * single (late * g)) + single (dry * late) or late * g
    end
    k = k < lookahead and k + 1 or 1
  end
  gain, held, at = g, hold, k
end
