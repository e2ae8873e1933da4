"""The loudest part of a session, as a session of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mix2daw.errors import InputError
from mix2daw.session import Session
from mix2daw.silence import is_silent
from mix2daw.spool import Spool

MIX_FILE = "mix.wav"  # what the mix of a part is called, beside its graph


def loudest_start(session: Session, samples: int) -> int:
    """Where the loudest stretch of that many samples begins in the mix, to a tenth of a second."""
    hop = max(1, session.sample_rate // 10)
    power = np.square(session.mix, dtype=np.float64).sum(0)
    total = np.concatenate([[0.0], np.cumsum(power)])
    starts = np.arange(0, len(power) - samples + 1, hop)
    return int(starts[np.argmax(total[starts + samples] - total[starts])])


def loudest(session: Session, length_s: float) -> Session:
    """The loudest stretch of a session; the session itself if it is not longer.

    Tracks that are silent in it are set aside. Raises InputError if all are.
    """
    if length_s * session.sample_rate >= session.mix.shape[1]:
        return session
    samples = round(length_s * session.sample_rate)
    start = loudest_start(session, samples)
    spool, muted = Spool(), {track.name for track in session.muted}
    tracks, silent = [], []
    for track in (*session.tracks, *session.muted):
        signal = track.signal[:, start : start + samples]
        if is_silent(signal):
            silent.append(track.name)
        else:
            offset_samples = track.offset_samples - start
            tracks.append(replace(track, audio=spool.keep(signal.copy()), offset_samples=offset_samples))
    where = f"{_clock(start / session.sample_rate)} to {_clock((start + samples) / session.sample_rate)}"
    heard = [track for track in tracks if track.name not in muted]
    if not heard:
        raise InputError(
            session.mix_path, f"sounds from {where}, where all stems are silent", "leave out --preview"
        )
    names = {track.name for track in heard}
    groups = {group: tuple(n for n in members if n in names) for group, members in session.groups.items()}
    return replace(
        session,
        mix=session.mix[:, start : start + samples].copy(),
        tracks=tuple(heard),
        muted=tuple(track for track in tracks if track.name in muted),
        silent=(*session.silent, *silent),
        groups={group: members for group, members in groups.items() if members},
        findings=(*session.findings, f"only the loudest part was heard: {where}"),
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{rest:04.1f}"
