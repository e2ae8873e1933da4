"""The graph: what is valid, what is refused by name, and that it survives its file."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mix2daw.errors import FormatError, GraphError
from mix2daw.graph import Device, Graph, Send, Strip, read_graph
from mix2daw.processors import PROCESSORS, checked_graph


def console(**changes) -> dict:
    graph = {
        "schema": "mix2daw.graph/1",
        "sample_rate": 44100,
        "length_samples": 44100,
        "strips": [
            {
                "name": "kick",
                "kind": "track",
                "source": "stems/kick.wav",
                "output": "drums",
                "fader_db": -3.0,
                "devices": [{"type": "compressor", "values": {"threshold_db": -20, "ratio": 4}}],
                "sends": [{"target": "room", "level_db": -12}],
            },
            {"name": "drums", "kind": "group", "output": "all"},
            {"name": "all", "kind": "group", "output": "master"},
            {"name": "room", "kind": "return", "output": "master", "devices": [{"type": "reverb"}]},
            {"name": "master", "kind": "master"},
        ],
    }
    return graph | changes


def test_a_graph_survives_its_file(tmp_path):
    graph = Graph.model_validate(console())
    path = tmp_path / "graph.json"
    path.write_text(graph.to_json(), encoding="utf-8")
    assert read_graph(path) == graph
    assert read_graph(path).to_json() == graph.to_json()


def test_levels_run_from_the_tracks_to_the_master():
    levels = [[strip.name for strip in level] for level in Graph.model_validate(console()).levels()]
    assert levels == [["kick"], ["drums", "room"], ["all"], ["master"]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda g: g["strips"][0].update(fader_db="loud"), "strips.0.fader_db"),
        (lambda g: g["strips"][0].update(fader_db=float("nan")), "strips.0.fader_db"),
        (lambda g: g["strips"][0].update(pan=1.5), "strips.0.pan"),
        (lambda g: g["strips"][0].update(colour="red"), "strips.0.colour"),
        (lambda g: g["strips"][0].pop("source"), "strips.0"),
        (lambda g: g["strips"][1].update(name="kick"), "graph"),
        (lambda g: g["strips"][1].update(output="drums"), "graph"),
        (lambda g: g["strips"][2].update(output="drums"), "graph"),
        (lambda g: g["strips"][0]["sends"][0].update(target="all"), "graph"),
        (lambda g: g["strips"].pop(), "graph"),
        (lambda g: g.update(schema="mix2daw.graph/9"), "schema"),
    ],
)
def test_a_wrong_field_is_named(tmp_path, change, field):
    graph = console()
    change(graph)
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(graph), encoding="utf-8")
    with pytest.raises(GraphError) as error:
        read_graph(path)
    assert str(path) in str(error.value)
    assert error.value.where.endswith(f": {field}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "\x00", "[" * 100_000])
def test_a_file_that_is_no_graph_is_refused(tmp_path, text):
    path = tmp_path / "graph.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(GraphError):
        read_graph(path)


def test_devices_are_completed_with_their_rest():
    graph = checked_graph(Graph.model_validate(console()), PROCESSORS)
    device = graph.strip("kick").devices[0]
    assert device.values["threshold_db"] == -20
    assert device.values["attack_ms"] == PROCESSORS["compressor"].param("attack_ms").rest
    assert device.values["link"] == 0


@pytest.mark.parametrize(
    ("device", "kind", "where"),
    [
        (Device(type="exciter"), FormatError, "strips.a.devices.0"),
        (Device(type="compressor", values={"knee_db": 3}), GraphError, "strips.a.devices.0.values"),
        (Device(type="compressor", values={"ratio": 0.5}), GraphError, "strips.a.devices.0.values.ratio"),
        (Device(type="compressor", values={"link": 0.5}), GraphError, "strips.a.devices.0.values.link"),
        (
            Device(type="equalizer", values={"high_pass_slope_db": 7}),
            GraphError,
            "strips.a.devices.0.values.high_pass_slope_db",
        ),
        (Device(type="convolution"), GraphError, "strips.a.devices.0.impulse"),
        (Device(type="reverb", impulse="hall.wav"), GraphError, "strips.a.devices.0.impulse"),
    ],
)
def test_a_wrong_device_is_named(device, kind, where):
    graph = Graph(
        sample_rate=48000,
        length_samples=1,
        strips=(
            Strip(name="a", kind="track", source="a.wav", output="m", devices=(device,)),
            Strip(name="m", kind="master"),
        ),
    )
    with pytest.raises(kind) as error:
        checked_graph(graph, PROCESSORS)
    assert error.value.where == where


@given(
    fader_db=st.floats(-96, 24),
    pan=st.floats(-1, 1),
    level_db=st.floats(-96, 24),
    offset=st.integers(-(10**6), 10**6),
    name=st.text(min_size=1, max_size=40).filter(lambda text: text not in ("room", "master")),
)
def test_any_settings_and_names_survive_json(fader_db, pan, level_db, offset, name):
    strip = Strip(
        name=name,
        kind="track",
        source="a.wav",
        output="master",
        fader_db=fader_db,
        pan=pan,
        offset_samples=offset,
        sends=(Send(target="room", level_db=level_db),),
    )
    graph = Graph(
        sample_rate=48000,
        length_samples=10,
        strips=(
            strip,
            Strip(name="room", kind="return", output="master"),
            Strip(name="master", kind="master"),
        ),
    )
    try:
        text = graph.to_json().encode("utf-8")
    except UnicodeEncodeError:  # lone surrogates are no text that a file can hold
        return
    assert Graph.model_validate_json(text) == graph
