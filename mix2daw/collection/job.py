"""One song of a collection: recovered, or left as it is if it is done already."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
import traceback
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import yaml

from mix2daw.collection.record import Record, read_record, write_record
from mix2daw.collection.song import CorpusSong
from mix2daw.errors import MixError
from mix2daw.exporters.recall.nodelink import nodelink_json
from mix2daw.exporters.recall.write import NODELINK
from mix2daw.groups import exact_pattern
from mix2daw.output import write_text
from mix2daw.progress import Silence
from mix2daw.recover import Job, recover
from mix2daw.search import Settings
from mix2daw.stems import file_sha256, find_stems

AUDIO_FILES = ("render.wav", "difference.wav")


@dataclass(frozen=True)
class Wanted:
    """What is to be made of every song: as in `recover.Job`; `keep_audio`: whether its render stays, and what
    that leaves of the mix."""

    settings: Settings
    formats: tuple[str, ...] = ()
    report: bool = False
    preview: bool = False
    correct_drift: bool = False
    keep_audio: bool = False


@dataclass(frozen=True)
class SongJob:
    """A song and the folder of its result."""

    song: CorpusSong
    folder: Path
    wanted: Wanted


@dataclass(frozen=True)
class Failure:
    """Why a song failed, in the parts of a MixError; `kind`: its class, or that of a bug."""

    song: str
    kind: str
    where: str
    what: str
    remedy: str


@dataclass(frozen=True)
class Outcome:
    """How a song ended. `seconds`: of wall time; `la`, `devices`: of a recovered one."""

    song: str
    status: Literal["done", "kept", "failed"]
    seconds: float = 0.0
    la: float | None = None
    devices: int | None = None
    failure: Failure | None = None


def do_song(job: SongJob) -> Outcome:
    """Recover a song, going on from where an earlier process was killed; whatever goes wrong with it is its
    outcome."""
    begun, name = time.monotonic(), job.song.name
    try:
        key = song_key(job)
        known = read_record(job.folder)
        if known is not None and known.key == key:
            return Outcome(name, "kept", time.monotonic() - begun)
        la, devices = _recovered(job, key)
        return Outcome(name, "done", time.monotonic() - begun, la, devices)
    except MixError as error:
        failure = Failure(name, type(error).__name__, error.where, error.what, error.remedy)
    except MemoryError:
        what = "there is not enough memory for it"
        failure = Failure(name, "MemoryError", str(job.song.stems), what, "use fewer workers")
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        what = f"this is a bug: {type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
        failure = Failure(name, "bug", str(job.song.stems), what, "please report it")
    return Outcome(name, "failed", time.monotonic() - begun, failure=failure)


def song_key(job: SongJob) -> str:
    """SHA-256 of all that the result depends on. Raises InputError for files that cannot be read."""
    song = job.song
    files = {path.name: file_sha256(path) for path in find_stems(song.stems, song.mix)}
    inputs = {
        "stems": files,
        "mix": file_sha256(song.mix),
        "groups": None if song.groups is None else file_sha256(song.groups),
        "members": dict(song.members),
        "instruments": dict(song.instruments),
        "wanted": repr(job.wanted),
        "version": version("mix2daw"),
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _recovered(job: SongJob, key: str) -> tuple[float, int]:
    """La and the number of devices."""
    song, wanted = job.song, job.wanted
    with tempfile.TemporaryDirectory() as place:
        groups = song.groups
        if groups is None and song.members:
            groups = Path(place, "groups.yaml")
            members = {
                group: [exact_pattern(name) for name in names] for group, names in song.members.items()
            }
            groups.write_text(yaml.safe_dump(members, allow_unicode=True, sort_keys=False), encoding="utf-8")
        task = Job(
            song.stems,
            song.mix,
            job.folder,
            groups,
            wanted.formats,
            wanted.settings,
            force=True,
            report=wanted.report,
            preview=wanted.preview,
            resume=True,
            correct_drift=wanted.correct_drift,
        )
        recovery = recover(task, Silence())
    write_text(job.folder / NODELINK, nodelink_json(recovery.graph))
    if not wanted.keep_audio:
        for file in AUDIO_FILES:
            (job.folder / file).unlink(missing_ok=True)
    write_record(job.folder, Record(song.name, song.layout, key, song.instruments))
    return recovery.result.la["full"], recovery.result.devices_after.total
