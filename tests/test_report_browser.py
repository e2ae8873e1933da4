"""report.html in a real browser: it plays in step, switches without a gap, obeys the keyboard, loads nothing.

Where a source stands is read off the sound itself: a piece of what a source plays is looked for in the
decoded clip, and the distances between the sources are their drift.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from report_helpers import NAMES, make_result
from scipy.signal import correlate
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from mix2daw.exporters.pedalboard import render_taps
from mix2daw.graph import Graph
from mix2daw.progress import Silence
from mix2daw.report.audio import strip_seconds
from mix2daw.report.folder import write_report

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    BROWSER is None or DRIVER is None, reason="needs chromium and chromedriver (Debian: chromium-driver)"
)
FLAGS = (
    *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run"),
    *("disable-background-networking", "disable-component-update", "disable-sync"),
    *("autoplay-policy=no-user-gesture-required", "window-size=1280,900", "mute-audio"),
)
DRIFT_S = 0.005
PATIENCE_S = 30.0
RATE = 44100  # of the page's clips and of the offline contexts here
Driver = webdriver.Chrome


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Graph]:
    folder = tmp_path_factory.mktemp("result")
    graph = make_result(folder)
    write_report(folder, Silence())
    return folder, graph


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for flag in (*FLAGS, f"user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    os.environ.setdefault("SE_OFFLINE", "true")  # selenium must not look for a driver of its own
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    driver.set_script_timeout(60)
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Driver, reported: tuple[Path, Graph]) -> Iterator[Driver]:
    browser.get("about:blank")
    browser.get_log("performance")  # what the browser did for itself
    browser.get((reported[0] / "report.html").as_uri())
    yield browser
    # The node that the tests listen with is an old one; it is not the page's.
    assert [e for e in browser.get_log("browser") if "ScriptProcessorNode" not in e["message"]] == []


def wait(done: Callable[[], object]) -> None:
    """Until something holds."""
    until = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def at_rest(page: Driver) -> bool:
    """Whether the page, which scrolls smoothly, has come to where it was sent."""
    before = page.execute_script("return scrollY")
    time.sleep(0.2)
    return bool(page.execute_script("return scrollY") == before)


def press(page: Driver, *keys: str) -> None:
    """Keys, wherever the focus is."""
    ActionChains(page).send_keys(*keys).perform()


def is_playing(page: Driver) -> bool:
    return page.find_element(By.ID, "play").get_attribute("aria-label") == "Pause"


def chosen(page: Driver) -> str:
    return page.execute_script("return document.querySelector('input[name=source]:checked').value")


def start_playing(page: Driver) -> None:
    press(page, " ")
    wait(lambda: is_playing(page))


def position(piece: np.ndarray, clip: np.ndarray) -> float:
    """Where in a clip a piece lies, in samples."""
    found = correlate(clip, piece, method="fft")[len(piece) - 1 :]
    energy = np.cumsum(np.concatenate(([0.0], np.square(clip))))
    norm = np.sqrt(np.maximum(1e-12, energy[len(piece) :] - energy[: -len(piece)]))
    return float(np.argmax(found[: len(norm)] / norm))


CLIPS = """
const done = arguments[0];
(async () => {
  await mix2daw.mainDeck();
  const found = {};
  for (const name of Object.keys(mix2daw.data.mains)) {
    const buffer = (await mix2daw.mainDeck()).buffers[name];
    found[name] = [buffer.sampleRate, Array.from(buffer.getChannelData(0), (x) => Math.round(x * 1e5))];
  }
  done(found);
})();
"""
# Every source into a channel of its own, and one block of all of them, while the page plays. (Analysers
# cannot be read all at once: the sound goes on between one and the next.) Not near the seam of the loop.
LISTEN = """
const done = arguments[0];
(async () => {
  const deck = await mix2daw.mainDeck();
  const context = mix2daw.context();
  const names = Object.keys(deck.sources);
  const merger = new ChannelMergerNode(context, { numberOfInputs: names.length });
  names.forEach((name, index) => deck.sources[name].connect(merger, 0, index));
  const ear = context.createScriptProcessor(16384, names.length, 1);
  merger.connect(ear);
  ear.connect(context.destination);
  let blocks = 0;
  ear.onaudioprocess = ({ inputBuffer, playbackTime }) => {
    const at = deck.position();
    blocks += 1;
    if (blocks < 3 || at < 8.2 || at > 9.9) return;
    ear.onaudioprocess = null;
    merger.disconnect();
    ear.disconnect();
    const read = (index) => Array.from(inputBuffer.getChannelData(index), (x) => Math.round(x * 1e5));
    done([at, Object.fromEntries(names.map((name, index) => [name, read(index)]))]);
  };
})();
"""


def drift_of(page: Driver, clips: dict) -> tuple[float, float, float]:
    """Of the running sources: the largest distance between any two in seconds, where they are on the time
    line of the song, and where the page says it is."""
    at, heard = page.execute_async_script(LISTEN)
    places = {}
    for name, block in heard.items():
        rate, clip = clips[name]
        piece = np.array(block, np.float64)
        assert np.abs(piece).max() > 0, name
        places[name] = (position(piece, np.array(clip, np.float64)) + len(piece)) / rate
    return max(places.values()) - min(places.values()), places["target"], at


def test_all_sources_play_in_step_while_one_is_heard(page: Driver) -> None:
    clips = page.execute_async_script(CLIPS)
    page.execute_script("document.getElementById('loop-from').value = 7; "
                        "document.getElementById('loop-to').value = 10;"
                        "document.getElementById('loop-to').dispatchEvent(new Event('change'))")  # fmt: skip
    start_playing(page)
    for key in ("2", "4", "3", "1", "2"):
        press(page, key)
        drift_s, there_s, told_s = drift_of(page, clips)
        assert drift_s < DRIFT_S, key
        assert 7 <= there_s <= 10  # within the loop, more than once round
        assert abs(there_s - told_s) < 0.8  # a block and the latency of an output lie between them
    press(page, " ")
    wait(lambda: not is_playing(page))


OFFLINE = """
const done = arguments[0];
(async () => {
  const names = Object.keys(mix2daw.data.mains);
  const context = new OfflineAudioContext(names.length, 44100 * 4, 44100);
  const buffers = {};
  for (const name of names) {
    const text = atob(document.getElementById(`audio-${name}`).textContent);
    const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
    buffers[name] = await context.decodeAudioData(bytes.buffer);
  }
  const levels = Object.fromEntries(names.map((name) => [name, 1]));
  const deck = new mix2daw.Deck(context, buffers, levels, 0, new GainNode(context));
  deck.loop = [7.25, 8.5];
  deck.play(7.25);
  const merger = new ChannelMergerNode(context, { numberOfInputs: names.length });
  names.forEach((name, index) => deck.sources[name].connect(merger, 0, index));
  merger.connect(context.destination);
  const played = await context.startRendering();
  const round = (data) => Array.from(data, (x) => Math.round(x * 1e5));
  done(names.map((name, i) => [round(played.getChannelData(i)), round(buffers[name].getChannelData(0)),
    buffers[name].numberOfChannels]));
})();
"""


def test_a_loop_does_not_drift_to_the_sample(page: Driver) -> None:
    """Rendered offline: after three rounds of a loop of 1.25 s every source is at the same sample. The merger
    mixes left and right down, as it does with the clip here."""
    places = []
    for played, clip, _ in page.execute_async_script(OFFLINE):
        piece = np.array(played, np.float64)[int(3.3 * RATE) : int(3.9 * RATE)]
        places.append(position(piece, np.array(clip, np.float64)))
    assert max(places) - min(places) <= 2
    looped = (3.3 - 0.03) % 1.25 + 7.25
    assert places[0] / RATE == pytest.approx(looped, abs=0.005)


CROSSFADE = """
const done = arguments[0];
(async () => {
  const context = new OfflineAudioContext(1, 44100, 44100);
  const steady = new AudioBuffer({ length: 44100, sampleRate: 44100 });
  steady.getChannelData(0).fill(1);
  const deck = new mix2daw.Deck(context, { a: steady, b: steady, c: steady }, { a: 1, b: 1, c: 1 }, 0);
  deck.play(0);
  for (const [at, name] of [[0.2, "b"], [0.4, "c"], [0.405, "a"], [0.6, "b"]]) {
    context.suspend(at).then(() => { deck.choose(name); context.resume(); });
  }
  const played = await context.startRendering();
  done(Array.from(played.getChannelData(0)));
})();
"""


def test_switching_leaves_no_gap_and_no_click(page: Driver) -> None:
    """Three sources of steady 1: whatever is chosen, even in the middle of a fade, the sum stays 1."""
    played = np.array(page.execute_async_script(CROSSFADE))
    heard = played[int(0.1 * RATE) : int(0.9 * RATE)]
    assert heard.min() > 0.99
    assert heard.max() < 1.01


STRIP = """
const [name, done] = arguments;
(async () => {
  const context = new OfflineAudioContext(2, 44100, 44100);
  const text = atob(document.getElementById(`audio-${name}`).textContent);
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const buffer = await context.decodeAudioData(bytes.buffer);
  done([buffer.length, Array.from(buffer.getChannelData(0), (x) => Math.round(x * 1e5))]);
})();
"""


def test_a_strip_is_decoded_where_it_belongs(page: Driver, reported: tuple[Path, Graph]) -> None:
    """MP3 has a delay, which the browser takes off: less than 5 ms are left."""
    folder, graph = reported
    number = next(n for n, strip in enumerate(graph.strips) if strip.name == "kick")
    start = page.execute_script(f"return mix2daw.data.strips.s{number}.start")
    length, samples = page.execute_async_script(STRIP, f"s{number}-wet")
    wet = render_taps(graph, folder, [("kick", -1)])["kick", -1][0].astype(np.float64)
    piece = np.array(samples, np.float64)[RATE : 3 * RATE]
    expected = round(start * RATE) + RATE
    assert abs(position(piece, wet) - expected) < DRIFT_S * RATE
    seconds = strip_seconds(2 * len(graph.strips), graph.length_samples / RATE)
    assert length == pytest.approx(seconds * RATE, abs=1200)


FOCUSED = """
const { id, dataset, tagName, href } = document.activeElement;
if (id) return id;
if (dataset.solo) return dataset.solo + dataset.way;
if (dataset.moment) return "moment";
return href ? new URL(href.animVal || href, location).hash : tagName;
"""


def test_the_keyboard_is_enough(page: Driver) -> None:
    start_playing(page)
    for key, name in zip("2341", ("ours", "difference", "sum", "target"), strict=True):
        press(page, key)
        assert chosen(page) == name
        assert page.execute_async_script(
            "mix2daw.mainDeck().then((d) => arguments[0](d.chosen))"
        ) == name  # fmt: skip
    press(page, " ")
    wait(lambda: not is_playing(page))
    wave = page.find_element(By.ID, "wave")
    press(page, Keys.ESCAPE)
    assert not page.find_element(By.ID, "looped").is_selected()
    before = float(wave.get_attribute("aria-valuenow"))
    press(page, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert float(wave.get_attribute("aria-valuenow")) == pytest.approx(before + 1, abs=0.11)
    # Everything that a mouse can do has a place in the order of the tab key.
    page.execute_script("document.activeElement.blur(); scrollTo(0, 0)")
    reached = set()
    for _ in range(90):
        press(page, Keys.TAB)
        reached.add(page.execute_script(FOCUSED))
    wanted = {"play", "source-target", "match", "boost", "looped", "loop-from", "loop-to", "wave", "moment"}
    assert wanted <= reached
    assert {f"#strip-{number}" for number in range(len(NAMES))} <= reached
    assert "s1dry" in reached


def test_dragging_over_the_waveform_makes_a_loop(page: Driver) -> None:
    wave = page.find_element(By.ID, "wave")
    width = wave.size["width"]
    drag = ActionChains(page).move_to_element_with_offset(wave, -width // 4, 0).click_and_hold()
    drag.move_by_offset(width // 8, 0).move_by_offset(width // 8, 0).release().perform()
    first, last = (
        float(page.find_element(By.ID, name).get_attribute("value")) for name in ("loop-from", "loop-to")
    )
    assert first == pytest.approx(3.0, abs=0.15)
    assert last == pytest.approx(6.0, abs=0.15)
    assert float(wave.get_attribute("aria-valuenow")) == pytest.approx(first, abs=0.15)


def test_a_worst_moment_plays(page: Driver) -> None:
    moment = page.find_element(By.CSS_SELECTOR, "[data-moment]")
    start_s = float(moment.get_attribute("data-moment"))
    assert 6.5 < start_s < 10  # in the ride
    page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", moment)
    moment.click()
    wait(lambda: is_playing(page))
    first = float(page.find_element(By.ID, "loop-from").get_attribute("value"))
    assert first == pytest.approx(start_s - 1, abs=0.11)
    press(page, " ")


def test_a_strip_can_be_heard_alone_dry_and_wet(page: Driver) -> None:
    dry, wet = (
        page.find_element(By.CSS_SELECTOR, f"[data-solo=s1][data-way={way}]") for way in ("dry", "wet")
    )
    page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", wet)
    wet.click()
    wait(lambda: wet.get_attribute("aria-pressed") == "true")
    dry.click()
    wait(lambda: dry.get_attribute("aria-pressed") == "true")
    assert wet.get_attribute("aria-pressed") == "false"
    assert page.execute_script("return mix2daw.soloDeck().chosen") == "dry"
    press(page, "2")  # back to the whole
    wait(lambda: dry.get_attribute("aria-pressed") == "false")
    wait(lambda: is_playing(page))
    assert chosen(page) == "ours"


def test_a_click_on_a_strip_of_the_picture_leads_to_its_card(page: Driver) -> None:
    for number, name in enumerate(NAMES[:2]):
        box = page.find_element(By.CSS_SELECTOR, f"svg.flow a[aria-label$=' {name}'] .box")
        page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", box)
        box.click()
        target = page.execute_script("return location.hash.slice(1)")
        card = page.find_element(By.ID, target)
        assert card.find_element(By.TAG_NAME, "h3").text == name, number
        # In the window, and not beneath the player, which stays at the top.
        wait(lambda card=card: at_rest(page) and page.execute_script(
            "const h = arguments[0].querySelector('h3').getBoundingClientRect();"
            "return arguments[0].contains(document.elementFromPoint(h.left + 5, h.top + 5))",
            card,
        ))  # fmt: skip
        assert page.execute_script("return document.activeElement.id") == target


def test_every_link_in_the_page_leads_somewhere(page: Driver) -> None:
    lost = page.execute_script(
        "return Array.from(document.querySelectorAll('a'), (a) => a.getAttribute('href'))"
        ".filter((href) => !href.startsWith('#') || !document.getElementById(href.slice(1)))"
    )
    assert lost == []


def test_nothing_is_asked_of_a_network(page: Driver) -> None:
    start_playing(page)
    press(page, "2")
    press(page, " ")
    asked = set()
    for entry in page.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.add(message["params"]["request"]["url"].split(":")[0])
        assert message["method"] != "Network.webSocketCreated"
    assert asked <= {"file", "data", "about"}


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_width_scrolls_sideways(page: Driver, width: int) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        cut = page.execute_script(
            "return Array.from(document.querySelectorAll('.card, .numbers dd, h1, .controls > *'))"
            ".filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.className)"
        )
        assert cut == []
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_both_themes_are_there(page: Driver) -> None:
    def ground(theme: str) -> str:
        feature = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
        return page.execute_script("return getComputedStyle(document.body).backgroundColor")

    assert ground("light") == "rgb(244, 246, 248)"
    assert ground("dark") == "rgb(15, 20, 26)"
