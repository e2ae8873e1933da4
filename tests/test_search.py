"""The search on small songs of known mixes, and the exactness of its simplifications."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mix2daw.controls import Controls, Key
from mix2daw.errors import FormatError
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.play import play
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.progress import Silence
from mix2daw.search import Settings, search
from mix2daw.search.effort import FULL
from mix2daw.search.excerpts import coverage, scoring_excerpts
from mix2daw.search.fold import fold_faders, fold_wet
from mix2daw.search.judge import Judge
from mix2daw.search.simplify import drop_bands, drop_resting, rounded
from mix2daw.selection import Selection
from mix2daw.session import Session, Track
from mix2daw.spool import Spool

RATE = 44100
SECONDS = 4


def burst_train(generator: np.random.Generator, period_s: float, decay_s: float, tilt: float) -> np.ndarray:
    """Decaying bursts of coloured noise: transients, dynamics and all frequencies."""
    samples = SECONDS * RATE
    t = np.arange(samples) / RATE
    spectrum = np.fft.rfft(generator.standard_normal(samples))
    frequency = np.fft.rfftfreq(samples, 1 / RATE)
    spectrum *= (np.maximum(frequency, 40) / 1000) ** -tilt * (frequency > 30)
    noise = np.fft.irfft(spectrum, samples)
    envelope = np.exp(-(t % period_s) / decay_s) * (
        0.4 + 0.6 * generator.random(64)[(t // period_s).astype(int)]
    )
    return (0.3 * noise / np.abs(noise).max() * envelope).astype(np.float32)


def truth() -> Graph:
    def track(name: str, channels: int, **changes) -> Strip:
        return Strip(
            name=name, kind="track", source=f"{name}.wav", channels=channels, output="master", **changes
        )

    equalizer = Device(type="equalizer", values={"bell_3_hz": 2000, "bell_3_db": 6})
    compressor = Device(type="compressor", values={"threshold_db": -36, "ratio": 6})
    return checked_graph(
        Graph(
            sample_rate=RATE,
            length_samples=SECONDS * RATE,
            strips=(
                track("drum", 1, fader_db=-3, pan=0.25, devices=(compressor,)),
                track("bass", 1, fader_db=2, devices=(equalizer,)),
                track("keys", 2, fader_db=-6, pan=-0.4),
                Strip(name="master", kind="master"),
            ),
        ),
        PROCESSORS,
    )


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> Session:
    generator = np.random.default_rng(3)
    stems = {
        "drum": burst_train(generator, 0.5, 0.06, 0.3)[None],
        "bass": burst_train(generator, 0.73, 0.4, 0.9)[None],
        "keys": np.stack([burst_train(generator, 1.1, 0.5, 0.5), burst_train(generator, 1.3, 0.5, 0.5)]),
    }
    folder = tmp_path_factory.mktemp("song")
    graph = truth()
    sources = {name: torch.from_numpy(signal) for name, signal in stems.items()}
    with torch.no_grad():
        mix = play(graph, Controls(graph), sources).out["master"].numpy()
    tracks = tuple(Track(n, folder / f"{n}.wav", Spool().keep(s), None, "") for n, s in sorted(stems.items()))
    return Session(RATE, mix, folder / "mix.wav", tracks, (), {}, ())


@pytest.fixture(scope="module")
def found(session):
    allowed = ("equalizer", "compressor")
    return search(
        session, Path(session.mix_path).parent, Settings(only=Selection.of("--only", allowed)), Silence()
    )


def test_a_known_mix_is_recovered(found):
    assert found.la_console < 0.1
    for strip in truth().of_kind("track"):
        again = found.graph.strip(strip.name)
        assert again.fader_db == pytest.approx(strip.fader_db, abs=1.0), strip.name
        assert again.pan == pytest.approx(strip.pan, abs=0.05), strip.name


def test_the_descent_is_on_record(found):
    assert len(found.descent) <= FULL.first + FULL.console + 2 * FULL.refit + FULL.final
    assert len(found.descent) > FULL.console
    assert found.la_console < found.la_start
    assert np.mean(found.descent[-4:]) < np.mean(found.descent[:4])


def test_every_step_is_on_record(found):
    """Fits and pruning in their order; what is left only falls, to a little more than is left in the end, for
    the last stages drop what rests."""
    fits = [la for stage, la, _ in found.trace if stage != "prune"]
    assert fits == list(found.descent)
    left = [devices for _, _, devices in found.trace if devices is not None]
    assert left == sorted(left, reverse=True)
    kept = sum(found.devices_after.values())
    assert kept <= left[-1] <= kept + 3
    assert {strip.name for strip in found.offered.strips} >= {strip.name for strip in found.graph.strips}


def test_what_is_not_in_the_mix_is_pruned(found):
    assert sum(found.devices_after.values()) < sum(found.devices_before.values()) / 1.5
    kept = {(strip.name, device.type) for strip, device in found.graph.devices()}
    assert {("drum", "compressor"), ("bass", "equalizer")} <= kept
    assert found.devices_after == {
        type_: count
        for type_, count in {
            "compressor": sum(d.type == "compressor" for _, d in found.graph.devices()),
            "equalizer": sum(d.type == "equalizer" for _, d in found.graph.devices()),
            "fader_pan": sum(s.fader_db != 0 or s.pan != 0 for s in found.graph.strips),
        }.items()
        if count
    }


def test_a_choice_is_what_the_start_made_it(found):
    """Compressors start linked; the descent, the folds and the rounding leave that alone."""
    links = [device.values["link"] for _, device in found.graph.devices() if device.type == "compressor"]
    assert links
    assert set(links) == {1}


def test_every_insert_says_how_sure_it_is(found):
    for strip, device in found.graph.devices():
        assert device.confidence > 0, (strip.name, device.type)


def test_the_tolerance_is_kept(session, found):
    sources = {track.name: torch.from_numpy(track.signal) for track in session.tracks}
    target = torch.from_numpy(session.mix)
    judge = Judge(found.graph, Controls(found.graph), scoring_excerpts(sources, target, RATE))
    assert judge.score <= found.la_console + Settings().tolerance


def test_the_same_seed_gives_the_same_graph(session):
    settings = Settings(only=Selection.of("--only", []), seed=7)
    folder = Path(session.mix_path).parent
    first, second = (search(session, folder, settings, Silence()).graph.to_json() for _ in range(2))
    assert first == second


SEARCH_AGAIN = """
import sys
from pathlib import Path
import os
import subprocess
import sys

import numpy as np
from mix2daw.progress import Silence
from mix2daw.search import Settings, search
from mix2daw.selection import Selection
from mix2daw.session import Session, Track
from mix2daw.spool import Spool

folder, song = Path(sys.argv[1]), np.load("song.npz")
stems = sorted(set(song.files) - {"mix"})
tracks = tuple(Track(name, folder / f"{name}.wav", Spool().keep(song[name]), None, "") for name in stems)
session = Session(RATE, song["mix"], folder / "mix.wav", tracks, (), {}, ())
settings = Settings(only=Selection.of("--only", ["equalizer", "compressor"]))
sys.stdout.write(search(session, folder, settings, Silence()).graph.to_json())
""".replace("RATE", str(RATE))


@pytest.mark.parametrize("cores", [1, 3])
def test_the_number_of_threads_does_not_change_the_result(session, found, tmp_path, cores):
    """numba's, OpenMP's and the BLAS libraries' threads, in a process of their own."""
    script = tmp_path / "search.py"
    script.write_text(SEARCH_AGAIN)
    np.savez(tmp_path / "song.npz", mix=session.mix, **{t.name: t.signal for t in session.tracks})
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    threads = dict.fromkeys(names, str(cores)) | {"NUMBA_NUM_THREADS": str(min(cores, os.cpu_count() or 1))}
    folder = str(Path(session.mix_path).parent)
    done = subprocess.run(
        [sys.executable, script, folder],
        cwd=tmp_path,
        env=os.environ | threads,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == found.graph.to_json()


class Impatient(Silence):
    """Presses Ctrl-C at the n-th step."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def step(self, note: str = "") -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("steps", [1, 50, 75])
def test_a_stop_gives_the_best_graph_so_far(session, steps):
    settings = Settings(only=Selection.of("--only", []))
    stopped = search(session, Path(session.mix_path).parent, settings, Impatient(steps))
    assert stopped.interrupted
    assert {strip.name for strip in stopped.graph.of_kind("track")} == {"bass", "drum", "keys"}
    assert stopped.graph.strip("keys").pan < -0.2


def test_a_budget_ends_the_search_early(session):
    settings = Settings(only=Selection.of("--only", []), budget_s=0.5)
    found = search(session, Path(session.mix_path).parent, settings, Silence())
    assert found.out_of_time
    assert found.graph.strip("drum").pan > 0.1


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_cuda_is_refused_in_words(session):
    with pytest.raises(FormatError, match="CUDA"):
        search(session, Path(), Settings(device="cuda"), Silence())


@pytest.fixture
def sources() -> dict[str, torch.Tensor]:
    generator = np.random.default_rng(1)
    return {
        "kick": torch.from_numpy(burst_train(generator, 0.5, 0.1, 0.5)[None]),
        "hats": torch.from_numpy(burst_train(generator, 0.25, 0.05, 0.0)[None]),
    }


def nested(**group_changes) -> Graph:
    compressor = Device(type="compressor", values={"threshold_db": -30, "ratio": 3})
    sends = (Send(target="room", level_db=-12),)
    return checked_graph(
        Graph(
            sample_rate=RATE,
            length_samples=SECONDS * RATE,
            strips=(
                Strip(name="band", kind="group", output="master", fader_db=-2, sends=sends),
                Strip(name="drums", kind="group", output="band", devices=(compressor,), **group_changes),
                Strip(
                    name="kick",
                    kind="track",
                    source="k.wav",
                    output="drums",
                    fader_db=1,
                    sends=sends,
                    devices=(Device(type="width", wet=0.5, values={"width": 1.6}),),
                ),
                Strip(name="hats", kind="track", source="h.wav", output="drums", pan=0.5),
                Strip(
                    name="room",
                    kind="return",
                    output="master",
                    devices=(Device(type="delay", values={"mix": 1}),),
                ),
                Strip(name="master", kind="master"),
            ),
        ),
        PROCESSORS,
    )


def residual_db(one: Graph, other: Graph, sources: dict[str, torch.Tensor]) -> float:
    a, b = (play(graph, Controls(graph), sources).out["master"].double() for graph in (one, other))
    return float(10 * torch.log10((a - b).square().sum() / b.square().sum() + 1e-30))


def test_folding_group_faders_sounds_the_same(sources):
    graph = nested(fader_db=5)
    folded = fold_faders(graph)
    assert [folded.strip(name).fader_db for name in ("band", "drums")] == [0, 0]
    assert folded.strip("kick").fader_db == pytest.approx(4)
    assert residual_db(folded, graph, sources) < -110


def test_folding_the_fader_of_the_master_sounds_the_same(sources):
    graph = nested(fader_db=3)
    graph = graph.replace(graph.master.model_copy(update={"fader_db": -4.0}))
    folded = fold_faders(graph)
    assert [folded.strip(name).fader_db for name in ("band", "drums", "master")] == [0, 0, 0]
    assert folded.strip("kick").fader_db == pytest.approx(1 + 3 - 2 - 4)
    assert residual_db(folded, graph, sources) < -110


def test_a_fader_that_cannot_be_folded_stays(sources):
    graph = nested(fader_db=-40)  # would drive the compressor's threshold out of its range
    assert residual_db(fold_faders(graph), graph, sources) < -110


def test_folding_the_dry_share_of_a_width_sounds_the_same(sources):
    folded = fold_wet(nested())
    device = folded.strip("kick").devices[0]
    assert (device.wet, device.values["width"]) == (1.0, pytest.approx(1.3))
    assert residual_db(folded, nested(), sources) < -110


def test_small_bands_and_idle_devices_go():
    equalizer = Device(
        type="equalizer", values={"bell_1_db": 0.2, "high_pass_hz": 12, "high_pass_slope_db": 12}
    )
    idle = Device(type="compressor", values={"ratio": 1})
    graph = nested().replace(nested().strip("kick").model_copy(update={"devices": (equalizer, idle)}))
    graph = checked_graph(graph, PROCESSORS)
    assert drop_resting(drop_bands(graph, 0.3)).strip("kick").devices == ()
    assert len(drop_resting(drop_bands(graph, 0.1)).strip("kick").devices) == 1


def test_rounded_settings_are_what_a_person_would_set():
    equalizer = Device(type="equalizer", values={"bell_1_hz": 1234.5, "bell_1_db": 2.3456, "bell_1_q": 0.876})
    graph = nested().replace(
        nested().strip("kick").model_copy(update={"devices": (equalizer,), "fader_db": -3.4567, "pan": 0.123})
    )
    strip = rounded(checked_graph(graph, PROCESSORS)).strip("kick")
    values = strip.devices[0].values
    assert (strip.fader_db, strip.pan) == (-3.5, 0.12)
    assert (values["bell_1_hz"], values["bell_1_db"], values["bell_1_q"]) == (1230, 2.3, 0.88)


def test_coverage_hears_every_stem():
    sources = {name: torch.zeros(1, 1000) for name in "abc"}
    sources["a"][0, 0:100] = 1
    sources["b"][0, 450:550] = 1
    sources["c"][0, 900:1000] = 1
    assert coverage(sources, list(range(0, 901, 50)), 100, 3) == [0, 450, 900]


def test_a_trial_changes_nothing_until_it_is_accepted(session):
    graph = truth()
    sources = {track.name: torch.from_numpy(track.signal) for track in session.tracks}
    judge = Judge(graph, Controls(graph), scoring_excerpts(sources, torch.from_numpy(session.mix), RATE))
    before = judge.score
    key = Key("drum", "compressor", "0")
    trial = judge.without([key])
    assert trial.score > before + 0.01
    assert (judge.score, key in judge.candidates()) == (before, True)
    judge.accept(trial)
    assert key not in judge.candidates()
    smaller = judge.shrunk()
    again = Judge(smaller, Controls(smaller), scoring_excerpts(sources, torch.from_numpy(session.mix), RATE))
    assert again.score == pytest.approx(trial.score, abs=1e-4)
