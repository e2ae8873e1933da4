"""The graph that mixes the sample song: what an engineer might have set, and the answer to be found.

Group faders and pans, and the master's, are at rest, so that a track's fader says how loud it is.
"""

from __future__ import annotations

from _score import STEP_S
from _synth import RATE

from mix2daw.graph import Device, Graph, Send, Strip

GROUPS_YAML = """\
drums: [kick, snare, hats]
low end: [bass]
guitars: [guitar]
keys: [piano, pad]
vocals: [lead]
"""


def _track(
    name: str,
    group: str,
    fader_db: float,
    pan: float,
    devices: tuple[Device, ...],
    sends: tuple[Send, ...] = (),
    channels: int = 2,
) -> Strip:
    return Strip(
        name=name,
        kind="track",
        source=f"stems/{name}.flac",
        channels=1 if channels == 1 else 2,
        devices=devices,
        fader_db=fader_db,
        pan=pan,
        sends=sends,
        output=group,
    )


def _equalizer(**values: float) -> Device:
    return Device(type="equalizer", values=values)


def _compressor(threshold_db: float, ratio: float, attack_ms: float, release_ms: float) -> Device:
    values = {"threshold_db": threshold_db, "ratio": ratio, "attack_ms": attack_ms, "release_ms": release_ms}
    return Device(type="compressor", values=values)


def _tracks() -> tuple[Strip, ...]:
    kick = (
        _equalizer(bell_1_hz=58, bell_1_db=3, bell_1_q=1.1, bell_2_hz=340, bell_2_db=-4, bell_2_q=1.2),
        _compressor(-18.5, 3, 40, 250),
    )
    snare = (
        _equalizer(bell_1_hz=195, bell_1_db=2.5, bell_1_q=1.2, high_shelf_hz=6500, high_shelf_db=3),
        _compressor(-17, 3, 50, 300),
    )
    hats = (_equalizer(high_pass_hz=420, high_pass_slope_db=12, bell_3_hz=4200, bell_3_db=-2.5, bell_3_q=1),)
    bass = (
        _equalizer(low_shelf_hz=90, low_shelf_db=2, bell_2_hz=800, bell_2_db=3.5, bell_2_q=0.9),
        _compressor(-18, 4, 40, 400),
    )
    guitar = (_equalizer(high_pass_hz=130, high_pass_slope_db=12, bell_3_hz=2600, bell_3_db=3, bell_3_q=0.8),)
    pad = (Device(type="width", values={"width": 1.4}),)
    lead = (
        _equalizer(high_pass_hz=110, high_pass_slope_db=12, bell_4_hz=3400, bell_4_db=3.5, bell_4_q=0.8),
        _compressor(-18.5, 3, 25, 350),
    )
    to_lead = (Send(target="reverb", level_db=-9), Send(target="delay", level_db=-13))
    return (
        _track("kick", "drums", -1.5, 0.0, kick, channels=1),
        _track("snare", "drums", -6.0, 0.05, snare, (Send(target="reverb", level_db=-12),), channels=1),
        _track("hats", "drums", 0.5, 0.3, hats, channels=1),
        _track("bass", "low end", -4.5, 0.0, bass, channels=1),
        _track("guitar", "guitars", -3.0, -0.45, guitar),
        _track("piano", "keys", -0.5, 0.25, (), (Send(target="reverb", level_db=-11),)),
        _track("pad", "keys", -4.0, -0.1, pad),
        _track("lead", "vocals", -2.5, 0.0, lead, to_lead, channels=1),
    )


def truth(length_samples: int) -> Graph:
    """The whole console for stems of `length_samples`. Controls at rest are left out."""
    glue = _compressor(-22, 2, 40, 220)
    reverb = {"room_size": 0.62, "damping": 0.4, "wet_level": 0.3333, "dry_level": 0.0, "width": 1.0}
    delay = {"delay_ms": round(3 * STEP_S * 1000, 1), "feedback": 0.3, "mix": 1.0}
    groups = [
        Strip(name="drums", kind="group", devices=(glue,), output="master"),
        Strip(name="low end", kind="group", output="master"),
        Strip(name="guitars", kind="group", output="master"),
        Strip(name="keys", kind="group", output="master"),
        Strip(name="vocals", kind="group", output="master"),
    ]
    returns = [
        Strip(name="reverb", kind="return", devices=(Device(type="reverb", values=reverb),), output="master"),
        Strip(name="delay", kind="return", devices=(Device(type="delay", values=delay),), output="master"),
    ]
    return Graph(
        sample_rate=RATE,
        length_samples=length_samples,
        mix="mix.flac",
        strips=(*_tracks(), *groups, *returns, Strip(name="master", kind="master")),
    )
