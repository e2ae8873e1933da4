ardour {
  ["type"] = "dsp", name = "mix2daw equalizer", category = "EQ", license = "MIT", author = "mix2daw",
  description = [[High-pass, low shelf, four bells, high shelf, low-pass, in this order. Slopes are 0 (off), 6 or
12 dB an octave; a band at 0 dB is off.]]
}

-- 12 dB an octave is a Butterworth filter: two of first order and a bell.
-- Bells and shelves are Robert Bristow-Johnson's cookbook with alpha = sin(w) / (2 Q).
-- Coefficients are rounded to 32 bits where mix2daw rounds them. The lower a section, the more it hears how its
-- recursion is rounded, so low ones run here, rounded as mix2daw does it, and the others in Ardour's own Biquad.
-- x rounded is b - (b - x) with b = x * SPLIT (Veltkamp's splitting), written out where it is done per sample.
local SPLIT = 536870913
local SECTIONS = 12
local CONTROLS = 23
local LOW = 1 / 100 -- of the sample rate
local SILENCE = 1e-30 -- states as small as this are cleared
local BLOCK_SAMPLES = 8192

local rate, channels = 48000, 0
local filters = {} -- filters[channel][section]: Ardour's own
local states = {} -- states[channel][section]: two numbers of a low section
local coefficients = {} -- of the sections that are heard: b0, b1, b2, a1, a2, and whether it is a low one
local active = {} -- their numbers, in order
local known = {} -- the controls that the coefficients are made of

function dsp_ioconfig ()
  return { { audio_in = -1, audio_out = -1 } }
end

local function hertz (name, low, high, rest)
  return {
    ["type"] = "input", name = name, min = low, max = high, default = rest, unit = "Hz", logarithmic = true
  }
end

local function level (name)
  return { ["type"] = "input", name = name, min = -24, max = 24, default = 0, unit = "dB" }
end

local function quality (name, low, high, rest)
  return { ["type"] = "input", name = name, min = low, max = high, default = rest, logarithmic = true }
end

local function slope (name)
  return {
    ["type"] = "input", name = name, min = 0, max = 12, default = 0, enum = true,
    scalepoints = { ["off"] = 0, ["6 dB/oct"] = 6, ["12 dB/oct"] = 12 }
  }
end

function dsp_params ()
  return {
    hertz ("High pass (Hz)", 10, 2000, 40),
    slope ("High pass slope (dB/oct)"),
    hertz ("Low shelf (Hz)", 20, 1000, 100),
    level ("Low shelf (dB)"),
    quality ("Low shelf Q", 0.2, 2, 0.7071),
    hertz ("Bell 1 (Hz)", 20, 20000, 150),
    level ("Bell 1 (dB)"),
    quality ("Bell 1 Q", 0.1, 12, 0.8),
    hertz ("Bell 2 (Hz)", 20, 20000, 500),
    level ("Bell 2 (dB)"),
    quality ("Bell 2 Q", 0.1, 12, 0.8),
    hertz ("Bell 3 (Hz)", 20, 20000, 1600),
    level ("Bell 3 (dB)"),
    quality ("Bell 3 Q", 0.1, 12, 0.8),
    hertz ("Bell 4 (Hz)", 20, 20000, 5000),
    level ("Bell 4 (dB)"),
    quality ("Bell 4 Q", 0.1, 12, 0.8),
    hertz ("High shelf (Hz)", 500, 20000, 8000),
    level ("High shelf (dB)"),
    quality ("High shelf Q", 0.2, 2, 0.7071),
    hertz ("Low pass (Hz)", 500, 22000, 16000),
    slope ("Low pass slope (dB/oct)"),
    { ["type"] = "input", name = "Wet", min = 0, max = 1, default = 1 },
  }
end

function dsp_init (samples_per_second)
  rate = samples_per_second
end

function dsp_configure (ins, outs)
  channels = ins:n_audio ()
  for c = 1, channels do
    filters[c], states[c] = {}, {}
    for section = 1, SECTIONS do
      filters[c][section] = ARDOUR.DSP.Biquad (rate)
      states[c][section] = { 0, 0 }
    end
  end
  known = {}
  self:shmem ():allocate (BLOCK_SAMPLES)
end

local function single (x)
  local b = x * SPLIT
  return b - (b - x)
end

local function hz_of (hz)
  return single (math.min (math.max (hz, 0.01), rate / 2 - 100))
end

local function put (section, hz, b0, b1, b2, a0, a1, a2)
  local inverse = single (1 / a0)
  b0, b1, b2 = single (b0 * inverse), single (b1 * inverse), single (b2 * inverse)
  a1, a2 = single (a1 * inverse), single (a2 * inverse)
  coefficients[section] = { b0, b1, b2, a1, a2, hz < LOW * rate }
  for c = 1, channels do
    filters[c][section]:set_coefficients (a1, a2, b0, b1, b2)
  end
  active[#active + 1] = section
end

local function corner (hz)
  return single (math.tan (single (single (single (math.pi) * hz_of (hz)) / rate)))
end

local function first_high_pass (section, hz)
  local n = corner (hz)
  put (section, hz, 1, -1, 0, single (n + 1), single (n - 1), 0)
end

local function first_low_pass (section, hz)
  local n = corner (hz)
  put (section, hz, n, n, 0, single (n + 1), single (n - 1), 0)
end

local function design (hz, db)
  local amplitude = single (single (10 ^ single (db * single (0.05))) ^ 0.5)
  local w = single (single (single (2 * math.pi) * math.max (hz_of (hz), 2)) / rate)
  return amplitude, single (math.cos (w)), single (math.sin (w))
end

local function bell (section, hz, db, q)
  local A, cos_w, sin_w = design (hz, db)
  local alpha = single (sin_w / (2 * q))
  local more, less = single (alpha * A), single (alpha / A)
  put (
    section, hz,
    single (1 + more), -2 * cos_w, single (1 - more),
    single (1 + less), -2 * cos_w, single (1 - less)
  )
end

-- side: 1 is a low shelf, -1 a high shelf
local function shelf (section, hz, db, q, side)
  local A, cos_w, sin_w = design (hz, db)
  local less, more = single (A - 1), single (A + 1)
  local beta = single (single (sin_w * single (A ^ 0.5)) / q)
  local tilt, bend = side * single (less * cos_w), side * single (more * cos_w)
  local b_sum, a_sum = single (more - tilt), single (more + tilt)
  put (
    section, hz,
    single (A * single (b_sum + beta)), single (2 * side * A * single (less - bend)),
    single (A * single (b_sum - beta)),
    single (a_sum + beta), -2 * side * single (less + bend), single (a_sum - beta)
  )
end

local function butterworth_bell (section, hz)
  bell (section, hz, single (20 * math.log (2 ^ 0.5, 10)), single (2 ^ 0.25 / 2))
end

local function prepare (p)
  active = {}
  if p[2] >= 6 then first_high_pass (1, p[1]) end
  if p[2] >= 12 then
    first_high_pass (2, p[1])
    butterworth_bell (3, p[1])
  end
  if p[4] ~= 0 then shelf (4, p[3], p[4], p[5], 1) end
  for number = 1, 4 do
    local first = 3 + 3 * number
    if p[first + 1] ~= 0 then bell (4 + number, p[first], p[first + 1], p[first + 2]) end
  end
  if p[19] ~= 0 then shelf (9, p[18], p[19], p[20], -1) end
  if p[22] >= 6 then first_low_pass (10, p[21]) end
  if p[22] >= 12 then
    first_low_pass (11, p[21])
    butterworth_bell (12, p[21])
  end
end

local function changed (p)
  local any = false
  for i = 1, CONTROLS do
    if known[i] ~= p[i] then
      known[i] = p[i]
      any = true
    end
  end
  return any
end

local function run_low (out, n, c, z)
  local b0, b1, b2, a1, a2 = c[1], c[2], c[3], c[4], c[5]
  local z1, z2 = z[1], z[2]
  local x = out:array ()
  for i = 1, n do
    local v = x[i]
    local t = v * b0
    local b = t * SPLIT
    t = b - (b - t) + z1
    b = t * SPLIT
    local y = b - (b - t)
    t = v * b1
    b = t * SPLIT
    local u = b - (b - t)
    t = y * a1
    b = t * SPLIT
    t = u - (b - (b - t))
    b = t * SPLIT
    t = b - (b - t) + z2
    b = t * SPLIT
    z1 = b - (b - t)
    t = v * b2
    b = t * SPLIT
    u = b - (b - t)
    t = y * a2
    b = t * SPLIT
    t = u - (b - (b - t))
    b = t * SPLIT
    z2 = b - (b - t)
    x[i] = y
  end
  if math.abs (z1) < SILENCE and math.abs (z2) < SILENCE then
    z1, z2 = 0, 0
  end
  z[1], z[2] = z1, z2
end

local function run (c, out, n)
  for _, section in ipairs (active) do
    if coefficients[section][6] then
      run_low (out, n, coefficients[section], states[c][section])
    else
      filters[c][section]:run (out, n)
    end
  end
end

function dsp_run (ins, outs, n)
  local p = CtrlPorts:array ()
  if changed (p) then prepare (p) end
  local wet = p[CONTROLS]
  for c = 1, channels do
    if not ins[c]:sameinstance (outs[c]) then ARDOUR.DSP.copy_vector (outs[c], ins[c], n) end
    local done = 0
    while done < n do
      local count = math.min (n - done, BLOCK_SAMPLES)
      local out, dry = outs[c]:offset (done), self:shmem ():to_float (0)
      if wet < 1 then ARDOUR.DSP.copy_vector (dry, out, count) end
      run (c, out, count)
      if wet < 1 then
        ARDOUR.DSP.apply_gain_to_buffer (out, count, wet)
        ARDOUR.DSP.mix_buffers_with_gain (out, dry, count, 1 - wet)
      end
      done = done + count
    end
  end
end
