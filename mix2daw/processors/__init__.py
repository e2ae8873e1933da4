"""The processors of the console, one file each, and the register of them all.

Conventions: a signal is `(strips, channels, samples)` float32, channels 1 or 2; every control is
`(strips,)` float64 in human units. A processor is a pure function of signal, sample rate, impulse response (a
convolution alone has one) and controls, differentiable in the signal and in every learnable control, and an
exact twin of its pedalboard chain.
State is zero at the first sample. At rest (every control at `Param.rest`) it returns its input.
"""

from __future__ import annotations

from mix2daw.processors.base import Processor, checked_graph, complete_device
from mix2daw.processors.compressor import PROCESSOR as COMPRESSOR
from mix2daw.processors.convolution import PROCESSOR as CONVOLUTION
from mix2daw.processors.delay import PROCESSOR as DELAY
from mix2daw.processors.equalizer import PROCESSOR as EQUALIZER
from mix2daw.processors.fader import PROCESSOR as FADER
from mix2daw.processors.gate import PROCESSOR as GATE
from mix2daw.processors.limiter import PROCESSOR as LIMITER
from mix2daw.processors.pan import PROCESSOR as PAN
from mix2daw.processors.reverb import PROCESSOR as REVERB
from mix2daw.processors.width import PROCESSOR as WIDTH

PROCESSORS: dict[str, Processor] = {
    processor.name: processor
    for processor in (EQUALIZER, GATE, COMPRESSOR, WIDTH, FADER, PAN, DELAY, REVERB, CONVOLUTION, LIMITER)
}
INSERTS: tuple[str, ...] = tuple(name for name in PROCESSORS if name not in ("fader", "pan"))

__all__ = ["INSERTS", "PROCESSORS", "Processor", "checked_graph", "complete_device"]
