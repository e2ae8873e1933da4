ardour {
  ["type"] = "dsp", name = "mix2daw delay", category = "Delay", license = "MIT", author = "mix2daw",
  description = [[An echo: y = (1 - mix) x + mix d, where d is v one delay ago, and v = x + feedback d.
The delay is a whole number of samples.]]
}

-- Numbers are rounded to 32 bits where mix2daw rounds them, and by being written into a buffer.
local SPLIT = 536870913
local LONGEST_MS = 2000

local rate, channels = 48000, 0
local lag, at = 0, 1
local room = 0 -- samples of a channel's line, in shared memory: a script has three megabytes of its own

function dsp_ioconfig ()
  return { { audio_in = -1, audio_out = -1 } }
end

function dsp_params ()
  return {
    { ["type"] = "input", name = "Delay (ms)", min = 1, max = 2000, default = 250, logarithmic = true },
    { ["type"] = "input", name = "Feedback", min = 0, max = 0.95, default = 0 },
    { ["type"] = "input", name = "Mix", min = 0, max = 1, default = 0 },
    { ["type"] = "input", name = "Wet", min = 0, max = 1, default = 1 },
  }
end

function dsp_init (samples_per_second)
  rate = samples_per_second
end

local function lag_samples ()
  return math.max (1, math.floor (CtrlPorts:array ()[1] * rate / 1000 + 0.5))
end

local function prepare (samples)
  lag, at = math.min (samples, room), 1
  self:shmem ():clear ()
end

function dsp_configure (ins, outs)
  channels = ins:n_audio ()
  room = math.ceil (LONGEST_MS * rate / 1000) + 1
  self:shmem ():allocate (channels * room)
  prepare (lag_samples ())
end

local function single (x)
  local b = x * SPLIT
  return b - (b - x)
end

local function echoed (x, y, n, line, k, feedback, direct, mix, wet, dry)
  for i = 1, n do
    local v, late = x[i], line[k]
    local t = feedback * late
    local b = t * SPLIT
    t = v + (b - (b - t))
    line[k] = t
    k = k < lag and k + 1 or 1
    t = direct * v
    b = t * SPLIT
    local w = b - (b - t)
    t = mix * late
    b = t * SPLIT
    w = w + (b - (b - t))
    if wet < 1 then
      y[i] = single (wet * single (w)) + single (dry * v)
    else
      y[i] = w
    end
  end
  return k
end

function dsp_run (ins, outs, n)
  local p = CtrlPorts:array ()
  local wanted = lag_samples ()
  if wanted ~= lag then prepare (wanted) end
  local feedback, mix, wet = p[2], p[3], p[4]
  local direct, dry = single (1 - mix), single (1 - wet)
  local next_at = at
  for c = 1, channels do
    local line = self:shmem ():to_float ((c - 1) * room):array ()
    next_at = echoed (ins[c]:array (), outs[c]:array (), n, line, at, feedback, direct, mix, wet, dry)
  end
  at = next_at
end
