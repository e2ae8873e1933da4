"""Returns with a reverb and a delay, put into the console where the residual shows them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mix2daw.console import return_device
from mix2daw.controls import Key
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.search.deconvolution import Deconvolution, Levels
from mix2daw.search.echoes import Echo
from mix2daw.search.noise_reverb import Dry, noise_reverb
from mix2daw.search.residual import fed_and_made, residual_stretches
from mix2daw.search.simplify import map_devices
from mix2daw.search.space import IMPULSE_S, Response, Room, Space, decay_s, find_space, solve
from mix2daw.search.state import State

SEND_FLOOR_DB = -45.0  # softer sends are not offered
REFINE_ROUNDS = 1
KINDS = {"delay": ("delay",), "reverb": ("reverb", "convolution")}  # that may stand for one
AMOUNTS = {"delay": "mix", "reverb": "wet_level"}  # of devices that stand on the strips themselves
INSERT_START = 0.02
NOISE_GAIN = 0.02  # of La, by which a reverb of noise must improve the score to be kept


def without_returns(graph: Graph) -> Graph:
    """The graph without its returns and the sends into them."""
    dry = tuple(s.model_copy(update={"sends": ()}) for s in graph.strips if s.kind != "return")
    return Graph.model_validate({**dict(graph), "strips": dry})


def look_again(state: State, gain: float) -> None:
    """Add returns that the console lacks where what a fit has left shows them; `gain`: the share of the score
    by which each must lower it."""
    if len(state.graph.of_kind("return")) < len(state.full.of_kind("return")):
        find_returns(state, gain, noise=False)


def find_returns(state: State, gain: float = 0.0, noise: bool = True) -> None:
    """Add what the residual of the console shows, of the returns (or inserts) that `state.full` has and the
    graph has not. `gain`: the share of the score by which a return must lower it; `noise`: whether to look
    for a reverb that only magnitudes show, which takes long."""
    there = {strip.name for strip in state.graph.of_kind("return")}
    returns = state.full.of_kind("return")
    offered = {strip.devices[0].type: strip for strip in returns if strip.name not in there}
    names = [strip.name for strip in state.full.strips]
    kinds = [
        kind
        for of in (offered if returns else KINDS)
        for kind in KINDS[of]
        if any(state.settings.allows(name, kind) for name in names)
    ]
    if not kinds:
        return
    space = find_space(residual_stretches(state), state.sample_rate, kinds)
    if not returns:
        state.adopt(checked_graph(_with_inserts(state.graph, space, state.sample_rate), PROCESSORS))
        return
    least = gain * state.score()
    if "reverb" in offered:
        taken = space.reverb is not None and _take_reverb(state, offered["reverb"], space.reverb, least)
        if not taken and noise and "convolution" in kinds:
            _take_noise(state, offered["reverb"])
    if "delay" in offered and space.echo is not None:
        _take_echo(state, offered["delay"], space.echo, least)


def _take_reverb(state: State, place: Strip, reverb: Room | Response, least: float) -> bool:
    if isinstance(reverb, Room):
        device, said = return_device("reverb", reverb.settings), "a reverb is in the mix"
    else:
        device, seconds = _convolution(state, place, reverb)
        said = f"a reverb that decays in {seconds:.1f} s is in the mix"
    return _take(state, place, device, reverb.sends_lin, said, least)


def _take_noise(state: State, place: Strip) -> None:
    """A reverb of noise, where the residual has no impulse response that holds."""
    dry = []
    for excerpt in state.training:
        feeds, made = fed_and_made(state, excerpt.sources)
        dry.append(Dry(made, feeds, excerpt.skip, excerpt.spectral))
    taps = min(round(IMPULSE_S * state.sample_rate), state.target.shape[1] // 2)
    found = noise_reverb(dry, state.sample_rate, taps)
    device, seconds = _convolution(state, place, found)
    said = f"a reverb that decays in {seconds:.1f} s is in the mix, as its magnitudes show"
    _take(state, place, device, found.sends_lin, said, NOISE_GAIN)


def _take_echo(state: State, place: Strip, echo: Echo, least: float) -> None:
    device = return_device("delay", _echo_values(echo, state.sample_rate))
    said = f"an echo after {device.values['delay_ms']:.0f} ms is in the mix"
    _take(state, place, device, echo.sends_lin, said, least)


def _take(state: State, place: Strip, device: Device, sends_lin: Levels, said: str, least: float) -> bool:
    """Adopt a return if it lowers the score by more than `least`, and say so."""
    graph = checked_graph(_with_return(state, place, device, sends_lin), PROCESSORS)
    if state.score(graph) >= state.score() - least:
        return False
    state.progress.say(said)
    state.adopt(graph)
    return True


def _convolution(state: State, place: Strip, response: Response) -> tuple[Device, float]:
    """The device that plays a response, and the seconds in which that decays."""
    path = state.keep_impulse(place.name, response.impulse)
    return return_device("convolution", {}, path), decay_s(response.impulse.cpu().numpy(), state.sample_rate)


def refine_impulse(state: State) -> None:
    """Solve the impulse response again, now that the rest of the console has moved, and keep it if the score
    agrees."""
    place = _convolution_return(state.graph)
    if place is None:
        return
    sends = {
        s.name: send.level_db for s in state.graph.strips for send in s.sends if send.target == place.name
    }
    tracks = [strip.name for strip in state.graph.of_kind("track")]
    heard = np.array([name in sends for name in tracks])
    if set(sends) - set(tracks) or not heard.any():
        return
    before, score = state.graph, state.score()
    stretches = residual_stretches(state, frozenset(Key(name, "send", place.name) for name in sends))
    taps = state.impulse_of(place).shape[-1]
    problem = Deconvolution(stretches, state.sample_rate, min(taps, stretches[0].rest.shape[1] // 2))
    start: Levels = np.array([10 ** (sends[name] / 20) if name in sends else 0.0 for name in tracks])
    found = solve(problem, start, REFINE_ROUNDS, only=heard)
    path = state.keep_impulse(place.name, found.impulse)
    graph = before.replace(
        place.model_copy(update={"devices": (place.devices[0].model_copy(update={"impulse": path}),)}),
        *(
            before.strip(name).model_copy(
                update={
                    "sends": tuple(
                        send.model_copy(update={"level_db": _level_db(level)})
                        if send.target == place.name
                        else send
                        for send in before.strip(name).sends
                    )
                }
            )
            for name, level in zip(tracks, found.sends_lin, strict=True)
            if name in sends
        ),
    )
    if state.score(graph) <= score:
        state.adopt(graph)


def _convolution_return(graph: Graph) -> Strip | None:
    """The return whose only device is a convolution."""
    found = (s for s in graph.of_kind("return") if [d.type for d in s.devices] == ["convolution"])
    return next(found, None)


def _level_db(send_lin: float) -> float:
    return min(12.0, max(SEND_FLOOR_DB, 20 * math.log10(max(send_lin, 1e-6))))


def _echo_values(echo: Echo, sample_rate: int) -> dict[str, float]:
    return {"delay_ms": 1000 * echo.delay_samples / sample_rate, "feedback": echo.feedback}


def _with_return(state: State, place: Strip, device: Device, sends_lin: Levels) -> Graph:
    """The graph with a return, before the master, and a send from each track that is heard in it and may
    send."""
    may = {s.name for s in state.full.strips if any(send.target == place.name for send in s.sends)}
    strips = list(state.graph.strips)
    levels = _by_track(state.graph, sends_lin)
    for number, strip in enumerate(strips):
        level_db = _level_db(levels.get(strip.name, 0.0))
        if strip.name in may and level_db > SEND_FLOOR_DB:
            sends = (*strip.sends, Send(target=place.name, level_db=level_db))
            strips[number] = strip.model_copy(update={"sends": sends})
    strips.insert(len(strips) - 1, place.model_copy(update={"devices": (device,)}))
    return Graph.model_validate({**dict(state.graph), "strips": tuple(strips)})


def _by_track(graph: Graph, sends_lin: Levels) -> dict[str, float]:
    return dict(zip((strip.name for strip in graph.of_kind("track")), sends_lin.tolist(), strict=True))


def _with_inserts(graph: Graph, space: Space, sample_rate: int) -> Graph:
    """Delays and reverbs that stand on the strips themselves start with what was found."""
    found: dict[str, tuple[dict[str, float], dict[str, float]]] = {}
    if space.echo is not None:
        found["delay"] = (_echo_values(space.echo, sample_rate), _by_track(graph, space.echo.sends_lin))
    if isinstance(space.reverb, Room):
        shape = {name: space.reverb.settings[name] for name in ("room_size", "damping")}
        found["reverb"] = (shape, _by_track(graph, space.reverb.sends_lin / 3))
    strips = []
    for strip in graph.strips:
        devices = []
        for device in strip.post_devices:
            if device.type in AMOUNTS:
                values, levels = found.get(device.type, ({}, {}))
                share = levels.get(strip.name, 0.0)
                amount = {AMOUNTS[device.type]: min(0.5, max(INSERT_START, share / (1 + share)))}
                device = device.model_copy(update={"values": {**device.values, **values, **amount}})
            devices.append(device)
        strips.append(strip.model_copy(update={"post_devices": tuple(devices)}))
    return graph.replace(*strips)


def final_impulses(graph: Graph, impulses: dict[str, Tensor]) -> tuple[Graph, dict[str, NDArray[np.float32]]]:
    """The graph with plain names of its impulse responses, and these, ready to be written: `reverb.wav` for
    the first one, whatever the return is called."""
    paths: dict[str, str] = {}

    def named(_strip: Strip, device: Device) -> Device:
        if device.impulse is None:
            return device
        number = f"-{len(paths) + 1}" if paths else ""
        path = paths.setdefault(device.impulse, f"impulses/reverb{number}.wav")
        return device.model_copy(update={"impulse": path})

    graph = map_devices(graph, named)
    return graph, {path: impulses[old].numpy() for old, path in paths.items()}
