"""What a format cannot play is printed to audio, here and for every format alike.

- A track: its inserts up to the last one that the format refuses are printed into its audio.
- A group: the sum of its inputs through that prefix becomes a track `NAME (print)` that feeds the group;
  the strips beneath stay, muted, so that they can still be used.
- A return: its wet signal becomes a track `NAME (print)` in its place; sends into it are left out.
- The master: an insert that is refused is dropped, because to print it would freeze the mix.

A strip whose post-fader inserts are refused is printed whole, with its fader and pan, and its new fader
rests at 0 dB. A return that a muted strip (or the pre send of a strip printed whole) would have fed is
printed too, because its input would be missing. Nothing of this changes the sum that is heard.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mix2daw.exporters import Lost
from mix2daw.graph import Device, Graph, Strip

# Why the insert `strip.all_devices()[index]` cannot be played at this sample rate, or None if it can.
# The strip has no post_devices when it is asked, unless the format has inserts behind the fader.
Refuse = Callable[[Strip, int, int], str | None]

WHOLE = -1
AFTER_FADER = "stands after the fader, where this format has no inserts"


@dataclass(frozen=True)
class Cut:
    """How much of one strip is printed: its first `inserts` inserts, or all of it (`WHOLE`)."""

    inserts: int
    reasons: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether fader, pan and post-fader inserts are printed with it."""
        return self.inserts == WHOLE


@dataclass(frozen=True)
class Decision:
    """Which strips are printed, which fall silent for it, and which inserts of the master are dropped.

    `strips`: with post-fader inserts moved before the fader where that changes nothing, or with fader and pan
    as inserts before them.
    """

    strips: dict[str, Strip]
    cuts: dict[str, Cut]
    silent: frozenset[str]
    dropped: dict[int, str]


def decide(
    graph: Graph,
    refuse: Refuse,
    blends: bool = False,
    fader_inserts: bool = False,
    post_inserts: bool = False,
) -> Decision:
    """Decide for every strip of a graph (complete devices) what is printed in a format that refuses so.

    `blends`: whether its devices play their blend with the dry signal; if not, a blended one is refused.
    `fader_inserts`: whether a fader and a pan may be inserts, so that others can stand behind them.
    `post_inserts`: whether it has inserts behind fader and pan.
    """
    asked = refuse if blends else _unless_blended(refuse)
    strips: dict[str, Strip] = {}
    cuts: dict[str, Cut] = {}
    for strip in graph.strips:
        flat = strip if post_inserts else _with_inserts_before_fader(strip)
        if fader_inserts:
            flat = _with_fader_inserted(flat, asked, graph.sample_rate)
        strips[strip.name] = flat
        reasons = _reasons(flat, asked, graph.sample_rate, post_inserts)
        if strip.kind != "master" and (cut := _cut(strip, flat, reasons)):
            cuts[strip.name] = cut
    silent = frozenset(strip.name for strip in graph.strips if _under_print(graph, strip, cuts))
    for strip in graph.strips:
        for send in strip.sends:
            starved = strip.name in silent and send.target not in silent
            cut = cuts.get(strip.name)
            if starved or (cut is not None and cut.whole and send.tap == "pre"):
                cuts.setdefault(send.target, Cut(0, ()))
    reasons = _reasons(strips[graph.master.name], asked, graph.sample_rate, post_inserts)
    refused = {index: reason for index, reason in enumerate(reasons) if reason is not None}
    return Decision(strips, cuts, silent, refused)


def lost(graph: Graph, decision: Decision) -> list[Lost]:
    """One entry for everything that is printed, in the order of the strips. Drops are not in it."""
    printed_returns = {name for name in decision.cuts if graph.strip(name).kind == "return"}
    found: list[Lost] = []
    for strip in graph.strips:
        cut = decision.cuts.get(strip.name)
        if cut is not None:
            found += _printed(strip, decision.strips[strip.name], cut)
        found += [
            Lost(strip.name, f"send to {send.target}", "printed", _SEND_REASON)
            for send in strip.sends
            if send.target in printed_returns
        ]
    return found


def sources_lost(graph: Graph, decision: Decision, polarity: bool) -> list[Lost]:
    """What of the sources of tracks is in the audio and in no control. `polarity`: whether the format has
    one."""
    found: list[Lost] = []
    for strip in graph.of_kind("track"):
        cut = strip.name in decision.cuts
        if strip.polarity == "inverted" and (cut or not polarity):
            found.append(Lost(strip.name, "polarity", "printed", PRINTED_WITH_TRACK if cut else NO_POLARITY))
        if strip.stretch_ppm:
            found.append(Lost(strip.name, "stretch", "printed", stretch_reason(strip)))
    return found


NO_POLARITY = "this format has no polarity switch; the audio of the track is the inverted stem"
PRINTED_WITH_TRACK = "it is in the audio, because devices of the track are printed"


def stretch_reason(strip: Strip) -> str:
    """Why a session does not play the file of a stretched track itself."""
    times = 1 + strip.stretch_ppm * 1e-6
    return f"the audio of the track is the stem resampled to {times:.7f} times its length"


_SEND_REASON = "the return is printed audio, so this send is in the print and no longer moves it"
_PLACES = {
    "track": "it is printed into the audio of the track",
    "group": "the group is printed to a track of its own, and the strips beneath it are muted",
    "return": "the wet signal is printed to a track in place of the return",
}


def _printed(strip: Strip, flat: Strip, cut: Cut) -> list[Lost]:
    place = _PLACES[strip.kind]
    entries = [
        Lost(strip.name, device.type, "printed", f"{reason}; {place}")
        for device, reason in zip(flat.all_devices(), cut.reasons, strict=False)
    ]
    if not cut.reasons:
        reason = "a strip that feeds it is muted or printed, so its input would be missing"
        entries.append(Lost(strip.name, "return", "printed", f"{reason}; {place}"))
    if cut.whole:
        moved = [("fader", strip.fader_db != 0), ("pan", strip.pan != 0)]
        why = "stands before an insert that is printed, so it is in the audio and rests at 0"
        entries += [Lost(strip.name, control, "printed", why) for control, is_set in moved if is_set]
    return entries


def _with_inserts_before_fader(strip: Strip) -> Strip:
    """The strip with its post-fader inserts moved before the fader, if that sounds the same.

    It does where fader and pan rest, and where every one is a plain equalizer: linear, time-invariant and
    equal on both channels, so it commutes with fader and pan. A pre send would hear the difference.
    """
    equalizers = all(device.type == "equalizer" and device.wet == 1 for device in strip.post_devices)
    at_rest = strip.fader_db == 0 and strip.pan == 0
    if any(send.tap == "pre" for send in strip.sends) or not (equalizers or at_rest):
        return strip
    return strip.model_copy(update={"devices": strip.all_devices(), "post_devices": ()})


def _with_fader_inserted(strip: Strip, refuse: Refuse, sample_rate: int) -> Strip:
    """The strip with fader and pan as inserts before those that stand behind them; its own ones rest.

    As it was if one of those is refused, or if there is a pre send, which would hear the difference.
    """
    if not strip.post_devices or any(send.tap == "pre" for send in strip.sends):
        return strip
    fader = Device(type="fader", values={"fader_db": strip.fader_db})
    pan = Device(type="pan", values={"pan": strip.pan})
    devices = (*strip.devices, fader, pan, *strip.post_devices)
    inserted = strip.model_copy(update={"devices": devices, "post_devices": (), "fader_db": 0.0, "pan": 0.0})
    behind = range(len(strip.devices), len(devices))
    return strip if any(refuse(inserted, index, sample_rate) for index in behind) else inserted


def _unless_blended(refuse: Refuse) -> Refuse:
    def refusal(strip: Strip, index: int, sample_rate: int) -> str | None:
        device = strip.all_devices()[index]
        if device.wet != 1:
            return f"blended with its dry signal, the {device.type} is no single insert here"
        return refuse(strip, index, sample_rate)

    return refusal


def _reasons(flat: Strip, refuse: Refuse, sample_rate: int, post_inserts: bool) -> list[str | None]:
    """Why each insert of a strip is refused, None for one that is held."""
    asked = len(flat.all_devices() if post_inserts else flat.devices)
    reasons = [refuse(flat, index, sample_rate) for index in range(asked)]
    return [*reasons, *[AFTER_FADER] * (len(flat.all_devices()) - asked)]


def _cut(strip: Strip, flat: Strip, reasons: list[str | None]) -> Cut | None:
    """The cut of one strip, None if all of it is held. `flat`: the strip with its inserts moved."""
    refused = [index for index, reason in enumerate(reasons) if reason is not None]
    if not refused:
        return None
    whole = refused[-1] >= len(strip.devices)
    end = len(reasons) if whole else refused[-1] + 1
    cause: Device = flat.all_devices()[refused[-1]]
    stands = f"stands before the {cause.type}, which is printed" if not whole else "is printed with its strip"
    return Cut(WHOLE if whole else end, tuple(reason or stands for reason in reasons[:end]))


def _under_print(graph: Graph, strip: Strip, cuts: dict[str, Cut]) -> bool:
    """Whether a group further down its way to the master is printed."""
    output = strip.output
    while output is not None:
        if output in cuts:
            return True
        output = graph.strip(output).output
    return False
