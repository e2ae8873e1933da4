"""The Lua devices of Ardour sessions against the processors they are twins of, in a real Lua 5.3.

Of Ardour only the buffers are stood in for; Ardour itself plays them in test_ardour_verify.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from exporter_helpers import RATE, SAMPLES, device, graph_of, residual_db, track, write_stems
from exporter_readers import read_ardour
from lua_host import LuaDevice
from test_jsfx import SETTINGS, grid, sections_of, signal, twin

from mix2daw.exporters import exporter
from mix2daw.exporters.ardour import devices
from mix2daw.exporters.ardour.impulses import reverb_impulse
from mix2daw.exporters.chains import BLOCK_SAMPLES, apply_device
from mix2daw.exporters.words import unit_of
from mix2daw.graph import Device, Graph, Strip
from mix2daw.processors import INSERTS, PROCESSORS
from mix2daw.stems import read_impulse

PLAYED = sorted(devices.TYPES - {"reverb", "convolution"})  # without a file
STEREO = {"width", "pan"}
CASES = [(name, values) for name in PLAYED for values in SETTINGS[name]]
# Dynamics: a last bit of single samples, where powers are rounded otherwise; equalizer: sections above a
# hundredth of the rate, which Ardour plays with states of 32 bits, and this host with 64.
NULL_DB = {"equalizer": -80.0, "width": -130.0, "fader": -130.0, "pan": -130.0}
LOW = {
    "high_pass_hz": 35, "high_pass_slope_db": 12, "low_shelf_hz": 60, "low_shelf_db": 5, "low_shelf_q": 1.5,
    "bell_1_hz": 45, "bell_1_db": -9, "bell_1_q": 6, "bell_2_hz": 220, "bell_2_db": 4,
}  # fmt: skip


def played(insert: Device, x: np.ndarray, rate: int = RATE) -> np.ndarray:
    """What the script of an insert makes of a signal, its latency taken back."""
    script = devices.script(insert, rate)
    longer = np.pad(x, ((0, 0), (0, rate // 20)))
    y, latency = LuaDevice(script.text).play(longer, rate, script.values)
    return y[:, latency : latency + x.shape[1]].astype(np.float64)


def test_every_insert_that_is_held_has_a_script() -> None:
    assert exporter("ardour").holds & set(INSERTS) == devices.DEVICES
    assert devices.DEVICES | {"fader", "pan"} == devices.TYPES


@pytest.mark.parametrize("name", PLAYED)
def test_parameters_are_the_controls_of_the_processor(name: str) -> None:
    """In order, with range and rest; the name says the unit; the last one is the blend."""
    *parameters, wet = LuaDevice(devices.text(name)).parameters()
    for parameter, param in zip(parameters, PROCESSORS[name].params, strict=True):
        assert parameter.name == devices.label(param.name)
        assert (parameter.low, parameter.high, parameter.rest) == (param.low, param.high, param.rest)
        assert parameter.name.endswith(f"({unit_of(param.name)})") == bool(unit_of(param.name))
    assert (wet.name, wet.low, wet.high, wet.rest) == ("Wet", 0, 1, 1)
    assert [p.name for p in (*parameters, wet)] == list(devices.parameters(name))


@pytest.mark.parametrize("name", sorted(devices.TYPES))
def test_channels(name: str) -> None:
    """A reverberation of a mono signal is stereo, and so is a mono signal with a place; nothing else is."""
    shapes = LuaDevice(devices.text(name)).shapes()
    allowed = {"width": {(2, 2)}, "limiter": {(1, 1), (2, 2)}}
    if name in devices.MAKES_STEREO:
        allowed[name] = {(1, 2), (2, 2)}
    assert shapes == allowed.get(name, {(-1, -1)})


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [44100, 96000])
@pytest.mark.parametrize(("name", "values"), CASES)
def test_script_is_the_twin_of_its_processor(
    name: str, values: dict[str, float], rate: int, channels: int
) -> None:
    x = signal(rate, channels)[:, : rate // 2]
    y = twin(name, np.repeat(x[:1], 2, axis=0) if channels == 1 else x, rate, values)
    heard = x if channels == 2 or name in STEREO else x[:1]
    assert residual_db(played(device(name, **values), heard, rate), y[: len(heard)]) < NULL_DB.get(name, -150)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_low_bands_are_rounded_as_the_processor_does(rate: int) -> None:
    """All of these sections are below a hundredth of the rate: bit for bit, until the processor clears a
    state at the end of a block of 8192 samples that happens to be small; then they round apart."""
    x = signal(rate)
    y, wanted = played(device("equalizer", **LOW), x, rate), twin("equalizer", x, rate, LOW)
    assert residual_db(y[:, :BLOCK_SAMPLES], wanted[:, :BLOCK_SAMPLES]) == -300
    assert residual_db(y, wanted) < -70


def test_coefficients_of_the_equalizer_on_a_grid() -> None:
    """Every kind of section, at ends and at random: the processor's 32-bit numbers, but for a last bit."""
    script = LuaDevice(devices.text("equalizer"))
    differing = total = 0
    for rate, values in grid(120):
        complete = {**PROCESSORS["equalizer"].rest(), **values}
        controls = devices.script(Device(type="equalizer", values=complete), rate).values
        script.names.designed = script.lua.table()
        script.play(np.zeros((1, 1), np.float32), rate, controls)
        found = np.array([list(c.values()) for c in script.names.designed.values()])
        wanted = sections_of(complete, rate)
        assert np.allclose(found, wanted, rtol=1e-4, atol=2e-6)
        differing += int((found != wanted).any(1).sum())
        total += len(wanted)
    assert differing < 0.03 * total


@pytest.mark.parametrize(("name", "values"), [(name, SETTINGS[name][0]) for name in PLAYED])
def test_blend(name: str, values: dict[str, float]) -> None:
    x = signal(RATE)[:, : RATE // 2]
    wanted = apply_device(x, device(name, 0.3, **values), RATE).astype(np.float64)
    assert residual_db(played(device(name, 0.3, **values), x), wanted) < max(-120, NULL_DB.get(name, -150))


@pytest.mark.parametrize("name", PLAYED)
def test_at_rest_and_in_silence_nothing_changes(name: str) -> None:
    x = signal(RATE)[:, : RATE // 4]
    assert np.array_equal(played(device(name), x), x)
    assert not played(device(name, **SETTINGS[name][0]), np.zeros((2, 5000), np.float32)).any()


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_delays_are_the_samples_of_the_graph(rate: int) -> None:
    """Ports have 32 bits, in which a time may round to another sample."""
    x = np.zeros((1, rate // 2), np.float32)
    x[0, 0] = 1
    for samples in (48.5, 4799.5, 11025.4999999, 11025.5000001):
        insert = device("delay", delay_ms=samples * 1000 / rate, mix=1)
        wanted = int(apply_device(x, insert, rate)[0].argmax())
        assert int(played(insert, x, rate)[0].argmax()) == wanted


def reverberated(folder: Path, *inserts: Device, channels: int = 2) -> Graph:
    write_stems(folder, {"one": channels})
    rng = np.random.default_rng(5)
    for file, ears, rate in (("two", 2, RATE), ("four", 4, 44100)):
        taps = rng.standard_normal((6000, ears)) * np.geomspace(0.1, 1e-4, 6000)[:, None]
        soundfile.write(str(folder / f"{file}.wav"), taps, rate, subtype="FLOAT")
    place = track("A", "one", channels=channels, devices=inserts)
    return graph_of(place, Strip(name="Master", kind="master"))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("file", ["two", "four", None])
def test_reverberation_by_its_impulse_response(file: str | None, channels: int, tmp_path: Path) -> None:
    """A reverb and a convolution are files in `externals`; their names say what these hold."""
    if file is None:
        insert = device("reverb", 0.8, room_size=0.6, damping=0.7, wet_level=0.4, dry_level=0.3, width=0.4)
    else:
        insert = device("convolution", 0.8, wet_level=0.7, dry_level=0.3, width=1.6, pre_delay_ms=7)
        insert = insert.model_copy(update={"impulse": f"{file}.wav"})
    graph = reverberated(tmp_path, insert, channels=channels)
    assert exporter("ardour").write(graph, tmp_path, tmp_path) == []
    (tmp_path / "one.wav").rename(tmp_path / "moved.wav")
    (read,) = read_ardour(tmp_path)["A"].devices
    assert (read.type, read.values["wet"]) == (insert.type, 0.8)
    (impulse,) = (tmp_path / "mix2daw" / "externals").iterdir()
    assert impulse.name == f"A {insert.type}.wav"
    assert soundfile.info(str(impulse)).channels == 4
    x = soundfile.read(str(tmp_path / "moved.wav"), dtype="float32", always_2d=True)[0].T
    taps = None if file is None else read_impulse(tmp_path / f"{file}.wav", RATE)
    wanted = apply_device(x, insert, RATE, taps)
    both = np.repeat(x[:1], 2, axis=0) if channels == 1 else x
    assert residual_db(read.play(both.astype(np.float64)), wanted) < -95


def test_the_impulse_of_a_reverb_ends_with_its_tail_or_the_session() -> None:
    values = PROCESSORS["reverb"].rest()
    assert reverb_impulse({**values, "room_size": 0.0}, RATE, 30 * RATE).shape[1] < 3 * RATE
    assert reverb_impulse({**values, "room_size": 1.0}, RATE, SAMPLES).shape[1] == SAMPLES
