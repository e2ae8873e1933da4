ardour {
  ["type"] = "dsp", name = "mix2daw width", category = "Utility", license = "MIT", author = "mix2daw",
  description = [[The side signal (L - R) / 2 times `width`: 0 is mono, 1 as it was, 2 twice as wide.]]
}

local BLOCK_SAMPLES = 8192

function dsp_ioconfig ()
  return { { audio_in = 2, audio_out = 2 } }
end

function dsp_params ()
  return {
    { ["type"] = "input", name = "Width", min = 0, max = 2, default = 1 },
    { ["type"] = "input", name = "Wet", min = 0, max = 1, default = 1 },
  }
end

function dsp_configure (ins, outs)
  self:shmem ():allocate (BLOCK_SAMPLES)
end

function dsp_run (ins, outs, n)
  local p = CtrlPorts:array ()
  local width = 1 + p[2] * (p[1] - 1)
  local own, other = (1 + width) / 2, (1 - width) / 2
  local memory = self:shmem ():to_float (0)
  for c = 1, 2 do
    if not ins[c]:sameinstance (outs[c]) then ARDOUR.DSP.copy_vector (outs[c], ins[c], n) end
  end
  local done = 0
  while done < n do
    local count = math.min (n - done, BLOCK_SAMPLES)
    local left, right = outs[1]:offset (done), outs[2]:offset (done)
    ARDOUR.DSP.copy_vector (memory, left, count)
    ARDOUR.DSP.apply_gain_to_buffer (left, count, own)
    ARDOUR.DSP.mix_buffers_with_gain (left, right, count, other)
    ARDOUR.DSP.apply_gain_to_buffer (right, count, own)
    ARDOUR.DSP.mix_buffers_with_gain (right, memory, count, other)
    done = done + count
  end
end
