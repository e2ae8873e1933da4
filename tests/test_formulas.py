"""docs/processors.md: it is what the processors declare, and what they play is what its formulas say."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from formulas import Array, Block, blocks, computed, section
from test_processors import ACTIVE, played, random_settings, residual_db, room

from mix2daw import reference
from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Graph, Send, Strip
from mix2daw.processors import PROCESSORS

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "processors.md"
RATE = 44100
SAMPLES = 2000
# The formulas have 64 bits, what is played has 32: an envelope or a gain that moves slowly hears that most.
NULL_DB = -120.0
SLOW_DB = {"compressor": -100.0, "gate": -100.0, "limiter": -100.0}
OTHER = {"equalizer", "reverb", "convolution"}  # of more than one block of formulas
BANDS = {
    "high_pass": "High-pass of 6 dB", "low_shelf": "Low shelf", "bell_1": "Bell", "bell_2": "Bell",
    "bell_3": "Bell", "bell_4": "Bell", "high_shelf": "High shelf", "low_pass": "Low-pass of 6 dB",
}  # fmt: skip


def formulas(name: str) -> list[Block]:
    return blocks(section(DOCUMENT.read_text(encoding="utf-8"), name))


def noise(samples: int = SAMPLES) -> Array:
    """Two unlike channels of noise in bursts, up to full scale."""
    rng = np.random.default_rng(8)
    bursts = np.exp(-(np.arange(samples) % 700) / 120)
    signal = bursts * rng.standard_normal((2, samples)) * [[1.0], [0.7]]
    return (signal / np.abs(signal).max()).astype(np.float32).astype(np.float64)


def twin(name: str, x: Array, rate: int, values: dict[str, float]) -> Array:
    signal = torch.from_numpy(x.astype(np.float32))[None]
    return played(PROCESSORS[name], signal, rate, values)[0].double().numpy()


def settings(name: str, count: int = 3) -> list[dict[str, float]]:
    """Complete settings: at rest, all active, and some at random."""
    rng = np.random.default_rng(6)
    rest = PROCESSORS[name].rest()
    drawn = [random_settings(PROCESSORS[name], rng) for _ in range(count)]
    return [rest, {**rest, **ACTIVE[name]}, *drawn]


def in_stereo(block: Block, x: Array, rate: int, values: dict[str, float]) -> Array:
    """A block that has both channels, or one that each channel goes through."""
    beyond = rate // 20
    given = {**values, "f_s": float(rate)}
    if any("x_L" in line for line in block.lines):
        found = computed(block, x.shape[1], beyond, **given, x_L=x[0], x_R=x[1])
        if "y" in found:  # y is told of x, and the detector alone hears both
            return np.stack([computed(block, x.shape[1], **given, x_L=x[0], x_R=x[1], x=c)["y"] for c in x])
        return np.stack([found["y_L"], found["y_R"]])
    return np.stack([computed(block, x.shape[1], beyond, **given, x=channel)["y"] for channel in x])


def test_the_document_is_what_the_processors_declare() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == reference.markdown(), "put in `mix2daw processors --markdown`"
    assert [*PROCESSORS, "send"] == re.findall(r"^## (.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("rate", [44100, 96000])
@pytest.mark.parametrize("name", [name for name in PROCESSORS if name not in OTHER])
def test_the_formulas_are_what_is_played(name: str, rate: int) -> None:
    x = noise()
    for values in settings(name):
        wanted = in_stereo(formulas(name)[0], x, rate, values)
        found = twin(name, x, rate, values | ({"link": 0} if "link" in values else {}))
        assert residual_db(found, wanted) < SLOW_DB.get(name, NULL_DB), values


def test_a_linked_compressor_is_the_formula_with_the_other_detector() -> None:
    apart, linked = formulas("compressor")
    x = noise()
    for values in settings("compressor"):
        values = {**values, "link": 1}
        wanted = in_stereo(apart.having(*linked.lines), x, RATE, values)
        assert residual_db(twin("compressor", x, RATE, values), wanted) < SLOW_DB["compressor"], values


def section_of(kind: str, x: Array, rate: int, f: float, g: float = 0.0, q: float = 1.0) -> Array:
    """One channel through one section of the equalizer."""
    recursion, *designs, _butterworth = formulas("equalizer")
    (design,) = (block for block in designs if block.caption.startswith(kind))
    coefficients = computed(design, 0, f=f, f_s=float(rate), g=g, q=q)
    numbers = {name: float(value) for name, value in coefficients.items() if re.fullmatch("[ab][012]", name)}
    assert len(numbers) == 6
    return np.asarray(computed(recursion, len(x), **numbers, x=x)["y"])


def equalized(x: Array, rate: int, values: dict[str, float]) -> Array:
    """One channel through all bands that are not at rest, in order."""
    for band, kind in BANDS.items():
        f = min(values[f"{band}_hz"], rate / 2 - 100)
        if band.endswith("_pass"):
            slope = values[f"{band}_slope_db"]
            for _ in range({0: 0, 6: 1, 12: 2}[int(slope)]):
                x = section_of(kind, x, rate, f)
            if slope == 12:
                level = computed(formulas("equalizer")[-1], 0)
                x = section_of("Bell", x, rate, f, level["g"], level["q"])
        elif values[f"{band}_db"] != 0:
            x = section_of(kind, x, rate, f, values[f"{band}_db"], values[f"{band}_q"])
    return x


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize("rate", [44100, 96000])
def test_every_band_of_the_equalizer_on_a_grid(band: str, rate: int) -> None:
    """Impulse responses; the lower the band, the more its 32-bit coefficients are heard."""
    processor = PROCESSORS["equalizer"]
    impulse = np.zeros(2000)
    impulse[0] = 1
    low, high = (getattr(processor.param(f"{band}_hz"), end) for end in ("low", "high"))
    for f in np.geomspace(max(low, 200), high, 4).tolist():
        if band.endswith("_pass"):
            grid: list[dict[str, float]] = [{f"{band}_slope_db": slope} for slope in (6, 12)]
        else:
            q = processor.param(f"{band}_q")
            pairs = [(level_db, q_) for level_db in (-12.0, 3.0) for q_ in (q.low, q.rest, q.high)]
            grid = [{f"{band}_db": level_db, f"{band}_q": q_} for level_db, q_ in pairs]
        for point in grid:
            values = {**processor.rest(), f"{band}_hz": f, **point}
            found = twin("equalizer", impulse[None], rate, values)[0]
            assert residual_db(found, equalized(impulse, rate, values)) < -75, values


def test_the_whole_equalizer() -> None:
    values = {**PROCESSORS["equalizer"].rest(), **ACTIVE["equalizer"]}
    x = noise(1500)
    wanted = np.stack([equalized(channel, RATE, values) for channel in x])
    assert residual_db(twin("equalizer", x, RATE, values), wanted) < -95


def test_reverb_by_combs_and_allpasses() -> None:
    first, comb, allpass, last = formulas("reverb")
    text = section(DOCUMENT.read_text(encoding="utf-8"), "reverb")
    combs, allpasses = (
        [int(length) for length in found.split(", ")]
        for found in re.findall(r"[NM] = (\d+(?:, \d+)+)", text.replace(",\n", ", ").replace("\n", " "))
    )
    (spread,) = re.findall(r"(\d+) samples", text)
    assert (len(combs), len(allpasses)) == (8, 4)
    x = noise(6000)
    for rate, values in zip((44100, 96000, 44100), settings("reverb", 1), strict=True):
        values = {**values, "wet_level": 0.7}
        source = computed(first, x.shape[1], **values, x_L=x[0], x_R=x[1])

        def ear(more: int, rate: int = rate, source: dict[str, Array] = source) -> Array:
            lengths = [
                [math.floor((length + more) * rate / 44100) for length in lines]
                for lines in (combs, allpasses)
            ]
            constants = {name: float(source[name]) for name in ("f", "d")}
            u = sum(
                computed(comb, x.shape[1], N=length, s=source["s"], **constants)["v"] for length in lengths[0]
            )
            for length in lengths[1]:
                u = computed(allpass, x.shape[1], M=length, u=np.asarray(u))["q"]
            return np.asarray(u)

        heard = computed(last, x.shape[1], **values, x_L=x[0], x_R=x[1], e_L=ear(0), e_R=ear(int(spread)))
        wanted = np.stack([heard["y_L"], heard["y_R"]])
        assert residual_db(twin("reverb", x, rate, values), wanted) < -110, values


@pytest.mark.parametrize("channels", [2, 4])
def test_convolution_by_its_sums(channels: int) -> None:
    lag, mean, true_stereo, blend = formulas("convolution")
    x, taps = noise(600), room(channels, 60)
    names = ("h_L", "h_R") if channels == 2 else ("h_LL", "h_LR", "h_RL", "h_RR")
    h = dict(zip(names, taps.astype(np.float64), strict=True))
    assert "m = (x_L + x_R) / 2" in mean.caption
    processor = PROCESSORS["convolution"]
    values = {**processor.rest(), "pre_delay_ms": 2.3, "width": 1.6, "wet_level": 0.8, "dry_level": 0.3}
    late = computed(lag, 0, **values, f_s=float(RATE))
    inputs = {"x_L": x[0], "x_R": x[1]} if channels == 4 else {"m": (x[0] + x[1]) / 2}
    ears = computed(mean if channels == 2 else true_stereo, x.shape[1], **late, **inputs, **h)
    found = computed(blend, x.shape[1], **values, x_L=x[0], x_R=x[1], e_L=ears["e_L"], e_R=ears["e_R"])
    wanted = np.stack([found["y_L"], found["y_R"]])
    controls = {name: torch.tensor([value], dtype=torch.float64) for name, value in values.items()}
    signal = torch.from_numpy(x.astype(np.float32))[None]
    result = processor.process(signal, RATE, torch.from_numpy(taps)[None], **controls)[0].double().numpy()
    assert residual_db(result, wanted) < NULL_DB


@pytest.mark.parametrize("tap", ["pre", "post"])
def test_sends_faders_and_pans_of_a_console(tap: str, tmp_path: Path) -> None:
    """What a return plays, and what the master hears of a track."""
    x = noise()
    soundfile.write(str(tmp_path / "x.wav"), x.T, RATE, subtype="FLOAT")
    send = Send(target="R", level_db=-7.5, tap=tap)  # type: ignore[arg-type]
    muted = {"name": "G", "kind": "group", "output": "M", "fader_db": -96.0}
    fields = {"kind": "track", "source": "x.wav", "output": "G", "fader_db": -4.5, "pan": 0.3}
    strips = (
        Strip.model_validate({"name": "T", "sends": (send,), **fields}),
        Strip.model_validate(muted),
        Strip(name="R", kind="return", output="M"),
        Strip(name="M", kind="master"),
    )
    graph = Graph(sample_rate=RATE, length_samples=SAMPLES, strips=strips)
    place = {"fader_db": -4.5, "pan": 0.3}
    out = in_stereo(formulas("pan")[0], in_stereo(formulas("fader")[0], x, RATE, place), RATE, place)
    sent = in_stereo(formulas("send")[0], x if tap == "pre" else out, RATE, {"level_db": -7.5})
    group = in_stereo(formulas("fader")[0], out, RATE, {"fader_db": -96.0})
    assert residual_db(render(graph, tmp_path), sent + group) < NULL_DB
