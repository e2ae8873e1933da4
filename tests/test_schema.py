"""`mix2daw schema` and the reader of graph.json refuse and accept the same documents.

The documents are judged by a validator of JSON Schema that is written here, for just those keywords that the
schema uses: an unknown keyword fails the test, so that nothing in the schema is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mix2daw.cli import app
from mix2daw.errors import GraphError
from mix2daw.graph import Graph, read_graph

Json = Any
ANNOTATIONS = {"$schema", "$defs", "title", "description", "default"}
TYPES: dict[str, Callable[[Json], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
}


def valid(value: Json, schema: Json, root: Json) -> bool:
    """Whether a document follows a schema."""
    return all(
        holds(keyword, wanted, value, schema, root)
        for keyword, wanted in schema.items()
        if keyword not in ANNOTATIONS
    )


def holds(keyword: str, wanted: Json, value: Json, schema: Json, root: Json) -> bool:
    """Whether a document follows one keyword of a schema."""
    match keyword:
        case "$ref":
            return valid(value, root["$defs"][wanted.removeprefix("#/$defs/")], root)
        case "type":
            return TYPES[wanted](value)
        case "const":
            return bool(value == wanted)
        case "enum":
            return value in wanted
        case "anyOf":
            return any(valid(value, option, root) for option in wanted)
        case "minimum":
            return not TYPES["number"](value) or value >= wanted
        case "maximum":
            return not TYPES["number"](value) or value <= wanted
        case "minLength":
            return not isinstance(value, str) or len(value) >= wanted
        case "maxLength":
            return not isinstance(value, str) or len(value) <= wanted
        case "maxItems":
            return not isinstance(value, list) or len(value) <= wanted
        case "maxProperties":
            return not isinstance(value, dict) or len(value) <= wanted
        case "items":
            return not isinstance(value, list) or all(valid(item, wanted, root) for item in value)
        case "required":
            return not isinstance(value, dict) or all(name in value for name in wanted)
        case "properties":
            return not isinstance(value, dict) or all(
                valid(value[name], part, root) for name, part in wanted.items() if name in value
            )
        case "additionalProperties":
            rest = {} if not isinstance(value, dict) else value
            extra = [item for name, item in rest.items() if name not in schema.get("properties", {})]
            return not extra if wanted is False else all(valid(item, wanted, root) for item in extra)
    raise AssertionError(f"keyword {keyword!r} is not known to this test")


@pytest.fixture(scope="module")
def schema() -> Json:
    result = CliRunner().invoke(app, ["schema"])
    assert result.exit_code == 0
    return json.loads(result.stdout)


def document() -> Json:
    """A graph with one of everything, as JSON."""
    return {
        "schema": "mix2daw.graph/1",
        "sample_rate": 48000,
        "length_samples": 96000,
        "pan_law": "balance_0db",
        "mix": "mix.flac",
        "strips": [
            {
                "name": "kick <in> & „out“",
                "kind": "track",
                "source": "stems/kick.wav",
                "channels": 1,
                "offset_samples": -3,
                "devices": [
                    {"type": "gate", "values": {"threshold_db": -40.0}, "wet": 0.5, "confidence": 0.1}
                ],
                "fader_db": -3.5,
                "pan": -0.25,
                "post_devices": [{"type": "delay"}],
                "sends": [{"target": "room", "level_db": -12, "tap": "pre"}],
                "output": "drums",
            },
            {"name": "drums", "kind": "group", "output": "master"},
            {
                "name": "room",
                "kind": "return",
                "output": "master",
                "devices": [{"type": "convolution", "impulse": "rooms/große halle.wav"}],
            },
            {"name": "master", "kind": "master"},
        ],
    }


def put(path: str, value: Json) -> Callable[[Json], None]:
    """A change of a document: the value at a dotted path."""

    def change(graph: Json) -> None:
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in parents:
            graph = graph[part]
        graph[last] = value

    return change


WRONG: dict[str, Callable[[Json], None]] = {
    "another schema": put("schema", "mix2daw.graph/2"),
    "a field too many": put("tempo", 120),
    "a field too many in a strip": put("strips.0.mute", True),
    "a rate of zero": put("sample_rate", 0),
    "no length": lambda graph: graph.pop("length_samples") and None,
    "no strips": lambda graph: graph.pop("strips") and None,
    "a rate in words": put("sample_rate", "fast"),
    "a pan of 2": put("strips.0.pan", 2),
    "a fader of 25 dB": put("strips.0.fader_db", 25),
    "a kind that is none": put("strips.0.kind", "bus"),
    "three channels": put("strips.0.channels", 3),
    "a strip without a name": put("strips.0.name", ""),
    "a name of 201 letters": put("strips.0.name", "n" * 201),
    "wet above one": put("strips.0.devices.0.wet", 1.5),
    "an impulse response without a path": put("strips.2.devices.0.impulse", ""),
    "two impulse responses": put("strips.2.devices.0.impulse", ["left.wav", "right.wav"]),
    "a value in words": put("strips.0.devices.0.values.threshold_db", "loud"),
    "a send before everything": put("strips.0.sends.0.tap", "early"),
    "a send of 30 dB": put("strips.0.sends.0.level_db", 30),
    "strips that are no list": put("strips", {"name": "master"}),
}


def test_a_right_document_passes_both(schema: Json, tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(document()), encoding="utf-8")
    assert valid(document(), schema, schema)
    written = read_graph(path).to_json()
    assert valid(json.loads(written), schema, schema)
    assert Graph.model_validate_json(written) == read_graph(path)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_document_fails_both(name: str, schema: Json, tmp_path: Path) -> None:
    wrong = document()
    WRONG[name](wrong)
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(wrong), encoding="utf-8")
    assert not valid(wrong, schema, schema)
    with pytest.raises(GraphError, match=r"graph\.json"):
        read_graph(path)


def test_the_schema_is_the_same_every_time(schema: Json) -> None:
    assert json.loads(CliRunner().invoke(app, ["schema"]).stdout) == schema
