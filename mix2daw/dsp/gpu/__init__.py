"""The same processors for a GPU: closed forms on an FFT grid, and recursions with one thread for each row.

Each function takes what its exact CPU twin in mix2daw.dsp takes and runs on any device, so that it can be
held against the twin on the CPU. Nothing here makes the host wait for the device.
"""
