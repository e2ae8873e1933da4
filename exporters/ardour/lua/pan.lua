ardour {
  ["type"] = "dsp", name = "mix2daw pan", category = "Utility", license = "MIT", author = "mix2daw",
  description = [[A balance at 0 dB: left min(1, 1 - pan), right min(1, 1 + pan). It stands in for the panner of
a route whose effects go on behind it.]]
}

local mono = false

function dsp_ioconfig ()
  return { { audio_in = 1, audio_out = 2 }, { audio_in = 2, audio_out = 2 } }
end

function dsp_params ()
  return {
    { ["type"] = "input", name = "Pan", min = -1, max = 1, default = 0 },
    { ["type"] = "input", name = "Wet", min = 0, max = 1, default = 1 },
  }
end

function dsp_configure (ins, outs)
  mono = ins:n_audio () == 1
end

function dsp_run (ins, outs, n)
  local p = CtrlPorts:array ()
  local sides = { math.min (1, 1 - p[1]), math.min (1, 1 + p[1]) }
  for c = 2, 1, -1 do
    local source = mono and ins[1] or ins[c]
    if not source:sameinstance (outs[c]) then ARDOUR.DSP.copy_vector (outs[c], source, n) end
    ARDOUR.DSP.apply_gain_to_buffer (outs[c], n, p[2] * sides[c] + (1 - p[2]))
  end
end
