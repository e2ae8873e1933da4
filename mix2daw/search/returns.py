"""Returns with a reverb and a delay, put into the console where the residual shows them."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mix2daw.console import return_device
from mix2daw.controls import Controls, Key
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.play import play
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.search.deconvolution import Deconvolution, Levels, Stretch
from mix2daw.search.echoes import Echo
from mix2daw.search.excerpts import listening_starts, stretches
from mix2daw.search.noise_reverb import Dry, noise_reverb
from mix2daw.search.simplify import map_devices
from mix2daw.search.space import IMPULSE_S, Room, Space, decay_s, find_space, solve
from mix2daw.search.state import State

SEND_FLOOR_DB = -45.0  # softer sends are not offered
REFINE_ROUNDS = 1
KINDS = ("delay", "reverb", "convolution")
AMOUNTS = {"delay": "mix", "reverb": "wet_level"}  # of devices that stand on the strips themselves
INSERT_START = 0.02
NOISE_GAIN = 0.02  # of La, by which a reverb of noise must improve the score to be kept


def without_returns(graph: Graph) -> Graph:
    """The graph without its returns and the sends into them."""
    dry = tuple(s.model_copy(update={"sends": ()}) for s in graph.strips if s.kind != "return")
    return Graph.model_validate({**dict(graph), "strips": dry})


def find_returns(state: State) -> None:
    """Add what the residual of the dry console shows, of the returns (or inserts) that `state.full` has."""
    names = [strip.name for strip in state.full.strips]
    kinds = [kind for kind in KINDS if any(state.settings.allows(name, kind) for name in names)]
    if not kinds:
        return
    space = find_space(_stretches(state), state.sample_rate, kinds)
    tracks = [strip.name for strip in state.graph.of_kind("track")]
    if space.echo is not None:
        lag_ms = 1000 * space.echo.delay_samples / state.sample_rate
        state.progress.say(f"an echo after {lag_ms:.0f} ms is in the mix")
    offered = {strip.devices[0].type: strip for strip in state.full.of_kind("return")}
    graph = state.graph
    if "delay" in offered and space.echo is not None:
        device = return_device("delay", _echo_values(space.echo, state.sample_rate))
        graph = _with_return(state, graph, offered["delay"], device, tracks, space.echo.sends_lin)
    if "reverb" in offered and space.reverb is not None:
        if isinstance(space.reverb, Room):
            device = return_device("reverb", space.reverb.settings)
        else:
            seconds = decay_s(space.reverb.impulse.cpu().numpy(), state.sample_rate)
            state.progress.say(f"a reverb that decays in {seconds:.1f} s is in the mix")
            path = state.keep_impulse(offered["reverb"].name, space.reverb.impulse)
            device = return_device("convolution", {}, path)
        graph = _with_return(state, graph, offered["reverb"], device, tracks, space.reverb.sends_lin)
    if not offered:
        graph = _with_inserts(graph, space, tracks, state.sample_rate)
    state.adopt(checked_graph(graph, PROCESSORS))
    if "reverb" in offered and space.reverb is None and "convolution" in kinds:
        _offer_noise(state, offered["reverb"], tracks)


def _offer_noise(state: State, place: Strip, tracks: list[str]) -> None:
    """A reverb of noise, where the residual has no impulse response that holds; kept if the score falls."""
    dry = []
    for excerpt in state.training:
        with torch.no_grad():
            signals = play(state.graph, state.controls, excerpt.sources)
            feeds = torch.stack([signals.out[name].mean(0) for name in tracks])
            feeds = _through_master(state.graph, state.controls, feeds)
        dry.append(Dry(signals.out[state.graph.master.name], feeds, excerpt.skip, excerpt.spectral))
    taps = min(round(IMPULSE_S * state.sample_rate), state.target.shape[1] // 2)
    found = noise_reverb(dry, state.sample_rate, taps)
    path = state.keep_impulse(place.name, found.impulse)
    device = return_device("convolution", {}, path)
    graph = _with_return(state, state.graph, place, device, tracks, found.sends_lin)
    if state.score(graph) < state.score() - NOISE_GAIN:
        seconds = decay_s(found.impulse.cpu().numpy(), state.sample_rate)
        state.progress.say(f"a reverb that decays in {seconds:.1f} s is in the mix, as its magnitudes show")
        state.adopt(checked_graph(graph, PROCESSORS))


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
    stretches = _stretches(state, frozenset(Key(name, "send", place.name) for name in sends))
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


def _with_return(
    state: State, graph: Graph, place: Strip, device: Device, tracks: list[str], sends_lin: Levels
) -> Graph:
    """The graph with a return, before the master, and a send from each track that is heard in it and may
    send."""
    may = {s.name for s in state.full.strips if any(send.target == place.name for send in s.sends)}
    strips = [
        strip.model_copy(
            update={"sends": (*strip.sends, Send(target=place.name, level_db=_level_db(level[strip.name])))}
        )
        if strip.name in may and _level_db(level.get(strip.name, 0.0)) > SEND_FLOOR_DB
        else strip
        for level in (dict(zip(tracks, sends_lin.tolist(), strict=True)),)
        for strip in graph.strips
    ]
    strips.insert(len(strips) - 1, place.model_copy(update={"devices": (device,)}))
    return Graph.model_validate({**dict(graph), "strips": tuple(strips)})


def _with_inserts(graph: Graph, space: Space, tracks: list[str], sample_rate: int) -> Graph:
    """Delays and reverbs that stand on the strips themselves start with what was found."""
    found: dict[str, tuple[dict[str, float], dict[str, float]]] = {}
    if space.echo is not None:
        levels = dict(zip(tracks, space.echo.sends_lin.tolist(), strict=True))
        found["delay"] = (_echo_values(space.echo, sample_rate), levels)
    if isinstance(space.reverb, Room):
        shape = {name: space.reverb.settings[name] for name in ("room_size", "damping")}
        found["reverb"] = (shape, dict(zip(tracks, (space.reverb.sends_lin / 3).tolist(), strict=True)))
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


def _stretches(state: State, bypass: frozenset[Key] = frozenset()) -> list[Stretch]:
    """What the tracks feed, what the console (without `bypass`) leaves, and the mix: the whole of a short
    song, the parts of a long one in which the stems are heard."""
    starts, size = listening_starts(state.sources, state.target.shape[1], state.sample_rate)
    tracks = [strip.name for strip in state.graph.of_kind("track")]
    found = []
    for start, cut in zip(starts, stretches(state.played, starts, size), strict=True):
        with torch.no_grad():
            signals = play(state.graph, state.controls, cut, bypass=bypass)
            feeds = torch.stack([signals.out[name].mean(0) for name in tracks])
            feeds = _through_master(state.graph, state.controls, feeds)
        mix = state.target[:, start : start + size].to(feeds.device)
        found.append(Stretch(feeds, mix - signals.out[state.graph.master.name], mix))
    return found


def _through_master(graph: Graph, controls: Controls, feeds: Tensor) -> Tensor:
    """Feeds (tracks, samples) as they would leave the master's equalizer and fader: what a return's sound
    passes too. Its dynamics are left out, they are not linear."""
    master = graph.master
    for index, device in enumerate(master.devices):
        if device.type == "equalizer":
            values = controls.human([Key(master.name, "equalizer", str(index))])
            many = {name: value.expand(len(feeds)) for name, value in values.items()}
            feeds = PROCESSORS["equalizer"].process(feeds[:, None], graph.sample_rate, **many)[:, 0]
    level_db = controls.value(Key(master.name, "fader"), "fader_db")
    return feeds * 10 ** (level_db / 20)


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
