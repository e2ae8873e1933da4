ardour {
  ["type"] = "dsp", name = "mix2daw convolution", category = "Reverb", license = "MIT", author = "mix2daw",
  description = [[A reverberation by its impulse response, a file in the folder `externals` of the session. It
carries pre-delay, room size and damping; width, wet and dry levels are to be set here.]]
}

-- The two lines that the session sets.
local IMPULSE = "impulse.wav" -- 4 channels: L>L, L>R, R>L, R>R
local FULL_DRY = 1 -- what a dry level of 1 lets through

local BLOCK_SAMPLES = 8192

local convolver
local mono = false

function dsp_ioconfig ()
  return { { audio_in = 1, audio_out = 2 }, { audio_in = 2, audio_out = 2 } }
end

function dsp_params ()
  return {
    { ["type"] = "input", name = "Width", min = 0, max = 2, default = 1 },
    { ["type"] = "input", name = "Wet level", min = 0, max = 4, default = 0 },
    { ["type"] = "input", name = "Dry level", min = 0, max = 1, default = 1 },
    { ["type"] = "input", name = "Wet", min = 0, max = 1, default = 1 },
  }
end

function dsp_configure (ins, outs)
  mono = ins:n_audio () == 1
  local settings = ARDOUR.DSP.IRSettings ()
  settings.gain = 1
  local path = Session:path () .. "/externals/" .. IMPULSE
  convolver = ARDOUR.DSP.Convolver (Session, path, ARDOUR.DSP.IRChannelConfig.Stereo, settings)
  self:shmem ():allocate (4 * BLOCK_SAMPLES)
  collectgarbage ()
end

function dsp_latency ()
  return 0
end

function dsp_run (ins, outs, n)
  local p = CtrlPorts:array ()
  local own, other = p[4] * p[2] * (1 + p[1]) / 2, p[4] * p[2] * (1 - p[1]) / 2
  local dry = p[4] * p[3] * FULL_DRY + (1 - p[4])
  local memory = self:shmem ()
  local copy, scale, add = ARDOUR.DSP.copy_vector, ARDOUR.DSP.apply_gain_to_buffer, ARDOUR.DSP.mix_buffers_with_gain
  for c = 2, 1, -1 do
    local source = mono and ins[1] or ins[c]
    if not source:sameinstance (outs[c]) then copy (outs[c], source, n) end
  end
  local done = 0
  while done < n do
    local count = math.min (n - done, BLOCK_SAMPLES)
    local out, ear = {}, {}
    for c = 1, 2 do
      out[c] = outs[c]:offset (done)
      ear[c] = memory:to_float ((c - 1) * BLOCK_SAMPLES)
      copy (ear[c], out[c], count)
    end
    convolver:run_stereo_no_latency (ear[1], ear[2], count)
    for c = 1, 2 do
      scale (out[c], count, dry)
      add (out[c], ear[c], count, own)
      add (out[c], ear[3 - c], count, other)
    end
    done = done + count
  end
end
