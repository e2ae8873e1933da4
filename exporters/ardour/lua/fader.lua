ardour {
  ["type"] = "dsp", name = "mix2daw fader", category = "Utility", license = "MIT", author = "mix2daw",
  description = [[A level among the inserts.]]
}

local channels = 0

function dsp_ioconfig ()
  return { { audio_in = -1, audio_out = -1 } }
end

function dsp_params ()
  return {
    { ["type"] = "input", name = "Fader (dB)", min = -96, max = 24, default = 0, unit = "dB" },
    { ["type"] = "input", name = "Wet", min = 0, max = 1, default = 1 },
  }
end

function dsp_configure (ins, outs)
  channels = ins:n_audio ()
end

function dsp_run (ins, outs, n)
  local p = CtrlPorts:array ()
  for c = 1, channels do
    if not ins[c]:sameinstance (outs[c]) then ARDOUR.DSP.copy_vector (outs[c], ins[c], n) end
    ARDOUR.DSP.apply_gain_to_buffer (outs[c], n, p[2] * 10 ^ (p[1] / 20) + (1 - p[2]))
  end
end
