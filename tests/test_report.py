"""report.html as a file: what is in it, what must not be, and that it is the same every time."""

from __future__ import annotations

import base64
import io
import json
import re
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lxml import etree
from report_helpers import HOSTILE, NAMES, RATE, RIDE_DB, RIDE_S, SECONDS, make_result
from scipy.signal import butter, sosfilt
from typer.testing import CliRunner

from mix2daw.cli import app
from mix2daw.exporters.pedalboard import render_taps
from mix2daw.graph import Graph
from mix2daw.progress import Silence
from mix2daw.report.audio import (
    ALL_BYTES,
    FLAC_FRAME_BYTES,
    STRIPS_BYTES,
    Clip,
    Plan,
    encoded,
    mains,
    size,
    strip_clips,
    strip_seconds,
)
from mix2daw.report.material import Gathering

LARGEST_PAGE = 25_000_000
TEMPLATES = Path(__file__).resolve().parent.parent / "mix2daw/report/templates"
PICTURE = TEMPLATES.parents[2] / "exporters/recall/picture.py"


def run(*arguments: object) -> str:
    """What a command says; it must end well."""
    outcome = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Graph]:
    folder = tmp_path_factory.mktemp("result")
    graph = make_result(folder)
    run("report", folder, "--quiet")
    return folder, graph


def parsed(text: str) -> etree._Element:
    """The page as a parser of HTML reads it, which must find nothing to complain of but the names of newer
    elements."""
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True)
    root = etree.fromstring(text.encode(), parser)
    wrong = [e for e in parser.error_log if e.type_name != "HTML_UNKNOWN_TAG"]
    assert not wrong, wrong[:3]
    return root


def words(element: etree._Element) -> str:
    """All text of an element on one line."""
    return " ".join(" ".join(element.itertext()).split())


def test_the_verdict_is_what_was_done_to_the_mix(reported: tuple[Path, Graph]) -> None:
    folder, _ = reported
    verdict = words(parsed((folder / "report.html").read_text(encoding="utf-8")).find(".//h1"))
    assert "8 of 20 devices kept" in verdict
    assert "likely a fader ride on vocal" in verdict
    first, last = re.search(r"from 0:(\d\d) to 0:(\d\d)", verdict).groups()
    assert abs(int(first) - RIDE_S[0]) <= 1
    assert abs(int(last) - RIDE_S[1]) <= 1
    low, high, share = re.search(
        r"\(\+([\d.]+) to \+([\d.]+) dB there would explain (\d+) %", verdict
    ).groups()
    assert float(low) >= 1.0
    assert abs(float(high) - RIDE_DB) <= 0.5
    assert int(share) >= 75


def test_every_strip_has_a_card_with_all_its_settings(reported: tuple[Path, Graph]) -> None:
    folder, graph = reported
    root = parsed((folder / "report.html").read_text(encoding="utf-8"))
    cards = root.findall(".//article")
    assert [words(card.find(".//h3")) for card in cards] == [strip.name for strip in graph.strips]
    for card, strip in zip(cards, graph.strips, strict=True):
        knobs = card.findall(".//dl[@class='knobs']/div")
        assert len(knobs) == sum(len(device.values) for device in strip.all_devices())
    kick = words(cards[1])
    for expected in ("Fader −3.0 dB", "threshold −24.0 dB", "ratio 4", "attack 5 ms", "release 80 ms"):
        assert expected in kick
    assert "0.0500" in kick
    assert "Taken out: gate" in kick
    assert "Send hall −14.0 dB" in words(cards[3])
    assert "L30" in words(cards[2])
    labels = [figure.get("aria-label") for figure in root.findall(".//figure[@role='img']")]
    assert any(label.startswith("Equalizer curve: bell 1000 Hz +6.0 dB") for label in labels)
    assert any(label.startswith("Change of level by the compressor over time: −") for label in labels)
    assert all(labels)


def test_it_says_where_it_comes_from(reported: tuple[Path, Graph]) -> None:
    folder, _ = reported
    root = parsed((folder / "report.html").read_text(encoding="utf-8"))
    settings = words(root.find(".//section[@id='settings']"))
    for expected in ("Seed 7", "numpy 2.0", "ab" * 32, "spare", "moved by 12 samples"):
        assert expected in settings
    lost = json.loads((folder / "result.json").read_text(encoding="utf-8"))["lost"]
    rows = root.findall(".//section[@id='sessions']//tbody/tr")
    for row, (name, items) in zip(rows, lost.items(), strict=True):
        cells = [words(cell) for cell in row]
        assert cells[0] == name
        ways = [sum(item["how"] == how for item in items) for how in ("approximate", "printed", "dropped")]
        assert [int(cell) for cell in cells[2:5]] == ways


def test_the_same_folder_gives_the_same_bytes(reported: tuple[Path, Graph], tmp_path: Path) -> None:
    folder, _ = reported
    run("report", folder, "--out", tmp_path / "again.html", "--quiet")
    assert (tmp_path / "again.html").read_bytes() == (folder / "report.html").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.html"]


def test_nothing_is_loaded_from_elsewhere(reported: tuple[Path, Graph]) -> None:
    folder, _ = reported
    text = (folder / "report.html").read_text(encoding="utf-8")
    root = parsed(text)
    places = [
        value
        for element in root.iter()
        for key, value in element.attrib.items()
        if key.split("}")[-1] in ("href", "src", "srcset", "action", "data", "poster")
    ]
    assert places
    assert all(place.startswith(("#", "data:")) for place in places)
    assert not re.search(r"url\((?!#)", text)
    assert "@import" not in text
    assert "default-src 'none'" in text
    assert str(folder) not in text


def test_ids_are_unique_and_links_lead_somewhere(reported: tuple[Path, Graph]) -> None:
    folder, _ = reported
    root = parsed((folder / "report.html").read_text(encoding="utf-8"))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    links = [a.get("href")[1:] for a in root.iter("a")]
    assert {f"strip-{number}" for number in range(len(NAMES))} <= set(links) <= set(ids)


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    make_result(tmp_path, HOSTILE)
    run("report", tmp_path, "--quiet")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    root = parsed(text)
    names = [words(card.find(".//h3")) for card in root.findall(".//article")]
    shown = [" ".join(name.replace("\u2028", " ").split()) for name in HOSTILE]
    assert sorted(names) == sorted(shown)
    assert "49" not in names
    assert not root.findall(".//img")
    kinds = [script.get("type") for script in root.findall(".//script")]
    assert kinds.count(None) == 1
    assert {kind for kind in kinds if kind} == {"audio/flac;base64", "audio/mpeg;base64", "application/json"}
    assert "alert(1)" not in "".join(s.text or "" for s in root.findall(".//script"))
    assert not [key for element in root.iter() for key in element.attrib if key.startswith("on")]


def test_a_result_without_a_record_of_the_search_has_a_page(tmp_path: Path) -> None:
    make_result(tmp_path, recorded=False)
    run("report", tmp_path, "--quiet")
    text = words(parsed((tmp_path / "report.html").read_text(encoding="utf-8")))
    assert "recovered by an earlier version" in text
    assert "Taken out:" not in text


@pytest.mark.parametrize("spoil", ["result.json", "graph.json", "render.wav", "stems/pad.wav"])
def test_what_is_missing_is_named_in_one_line(
    reported: tuple[Path, Graph], tmp_path: Path, spoil: str
) -> None:
    folder, _ = reported
    for path in folder.rglob("*"):
        inner = path.relative_to(folder)
        if path.is_file() and inner.parts[0] != "sessions" and inner != Path(spoil):
            (tmp_path / inner).parent.mkdir(exist_ok=True)
            (tmp_path / inner).symlink_to(path)
    (tmp_path / "report.html").unlink()
    outcome = CliRunner().invoke(app, ["report", str(tmp_path), "--quiet"])
    assert outcome.exit_code == 2
    assert outcome.stderr.count("\n") == 1
    assert Path(spoil).name in outcome.stderr
    assert not (tmp_path / "report.html").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_result_of_another_kind_is_named_by_its_field(reported: tuple[Path, Graph], tmp_path: Path) -> None:
    folder, _ = reported
    data = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    data["seed"] = "seven"
    (tmp_path / "result.json").write_text(json.dumps(data), encoding="utf-8")
    outcome = CliRunner().invoke(app, ["report", str(tmp_path), "--quiet"])
    assert outcome.exit_code == 2
    assert "result.json: seed" in outcome.stderr


def audio_of(root: etree._Element, name: str) -> tuple[np.ndarray, int]:
    """A clip of the page, decoded."""
    data = base64.b64decode(root.find(f".//script[@id='audio-{name}']").text)
    return soundfile.read(io.BytesIO(data), dtype="float32")


def test_the_audio_is_that_of_the_folder(reported: tuple[Path, Graph]) -> None:
    folder, graph = reported
    root = parsed((folder / "report.html").read_text(encoding="utf-8"))
    data = json.loads(root.find(".//script[@id='data']").text)
    for name, file in (("ours", "render.wav"), ("difference", "difference.wav"), ("target", "mix.wav")):
        decoded, rate = audio_of(root, name)
        original, _ = soundfile.read(folder / file, dtype="float32")
        played = decoded * 10 ** (data["mains"][name]["level"] / 20)
        assert rate == RATE
        step = 2.0**-15 * 10 ** (data["mains"][name]["level"] / 20)
        # A step of 16 bits, and levels are written to a thousandth of a decibel.
        np.testing.assert_allclose(played, original, atol=1.01 * step, rtol=1.2e-4)
    # Strips are MP3: near, and not shifted.
    number = next(n for n, strip in enumerate(graph.strips) if strip.name == "kick")
    of_kick = data["strips"][f"s{number}"]
    decoded, _ = audio_of(root, f"s{number}-wet")
    wet = render_taps(graph, folder, [("kick", -1)])["kick", -1].T
    first = round(of_kick["start"] * RATE)
    played = decoded * 10 ** (of_kick["levels"]["wet"] / 20)
    original = wet[first : first + len(played)]
    assert len(original) == len(played)
    # Where the ear is keen; noise in the treble is what MP3 leaves out.
    sections = butter(4, 5000, fs=RATE, output="sos")
    played, original = (sosfilt(sections, x, axis=0) for x in (played, original))
    assert np.square(played - original).sum() < 0.02 * np.square(original).sum()


def test_a_long_song_fits_into_the_page() -> None:
    rng = np.random.default_rng(5)
    rate, seconds = 44100, 400.0
    noise = 0.1 * rng.standard_normal((2, round(seconds * rate))).astype(np.float32)
    strip = Clip("s0-wet", 0, 10, "mp3", 0.0, "A" * (STRIPS_BYTES * 4 // 3))
    plan, clips = mains({"target": noise, "ours": noise[::-1]}, rate, 300.0, [strip])
    assert plan.codec == "mp3"
    assert plan.seconds == seconds  # two of them do
    assert sum(len(clip.data) for clip in clips) <= (ALL_BYTES - STRIPS_BYTES) * 4 / 3
    excerpt = encoded("target", noise, rate, Plan("mp3", 96, 350.0, 20.0))
    decoded, _ = soundfile.read(io.BytesIO(base64.b64decode(excerpt.data)))
    assert len(decoded) == 20 * rate
    assert strip_seconds(60, 240.0) * 60 * 80_000 / 8 <= STRIPS_BYTES
    assert strip_seconds(400, 240.0) == 0.0


def test_an_excerpt_that_flac_does_not_make_small_is_an_mp3() -> None:
    """Noise at full scale is nearly as large in FLAC as it was; a tone is small."""
    time = np.arange(4 * 44100) / 44100
    noise = np.random.default_rng(0).uniform(-1, 1, (2, len(time))).astype(np.float32)
    tone = (0.5 * np.sin(2 * np.pi * 440 * time) * np.ones((2, 1))).astype(np.float32)
    assert [clip.codec for clip in strip_clips({"dry": tone, "wet": tone}, 44100, 0.5, 3.0, True)] == 2 * [
        "flac"
    ]
    both = strip_clips({"dry": tone, "wet": noise}, 44100, 0.5, 3.0, True)
    assert [clip.codec for clip in both] == ["mp3", "mp3"]  # what is played in step is of one codec
    assert all(size(clip) <= 3.0 * 44100 * FLAC_FRAME_BYTES for clip in both)


def test_the_report_of_a_result_that_fails_ends_with_the_strip_it_is_at(
    reported: tuple[Path, Graph],
) -> None:
    """Whoever leaves early does not wait for all strips, and no thread goes on."""
    folder, graph = reported
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), Gathering(graph, folder) as gathering:
        raise ZeroDivisionError
    assert threading.active_count() == before
    with pytest.raises(Exception, match=r"^$") as raised:
        gathering.material(Silence())
    assert type(raised.value).__name__ == "_LeftError"
    with Gathering(graph, folder) as whole:
        assert set(whole.material(Silence()).heard) == {strip.name for strip in graph.strips}


def test_a_page_is_as_small_as_it_says(reported: tuple[Path, Graph]) -> None:
    folder, _ = reported
    assert 500_000 < (folder / "report.html").stat().st_size < LARGEST_PAGE
    assert (ALL_BYTES * 4 / 3) < 0.9 * LARGEST_PAGE
    assert SECONDS > 10


def luminance(colour: str) -> float:
    """Relative luminance of `#rgb` or `#rrggbb` (WCAG 2.2)."""
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    channels = np.array([int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_text_and_marks_can_be_told_from_what_they_lie_on() -> None:
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w+)", part)) for part in style.split("@media")[:2])
    assert set(light) == set(dark)
    for theme in (light, dark):
        for ground in ("page", "card", "hold"):
            for text in ("ink", "soft", "ours"):
                assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
        assert contrast(theme["rest"], theme["card"]) >= 4.5
        assert contrast(theme["on-ink"], theme["on"]) >= 4.5
        marks = ["mix", "ours", "rest", "tracks", "returns", "masters", *(f"c{n}" for n in range(8))]
        for mark in marks:
            assert contrast(theme[mark], theme["page"]) >= 3, mark


def test_the_text_of_the_picture_can_be_read_in_both_themes() -> None:
    style = re.search(r'_STYLE = """(.*?)"""', PICTURE.read_text(encoding="utf-8"), re.DOTALL)[1]
    for part in style.split("@media"):
        text = re.search(r"\.flow text\{[^}]*fill:(#\w+)", part)[1]
        struck = re.search(r"\.flow \.pruned\{fill:(#\w+)", part)[1]
        boxes = re.findall(r"\.flow \.\w+ \.box\{fill:(#\w+)", part)
        assert len(boxes) == 4
        for box in boxes:
            assert contrast(text, box) >= 7
            assert contrast(struck, box) >= 4.5
