"""What `recover` would do, without doing it: the stems as it would take them, the console, time, memory."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from mix2daw.cost import Size, expected, memory_mib
from mix2daw.output import json_text
from mix2daw.progress import Progress
from mix2daw.recover import Job, check_job, plan_job
from mix2daw.result import Defaults, Devices
from mix2daw.session import Session
from mix2daw.stems import AudioFile, find_stems, probe

PLAN_SCHEMA: Literal["mix2daw.plan/1"] = "mix2daw.plan/1"


@dataclass(frozen=True)
class PlannedStem:
    """A stem. `sample_rate`, `channels` and `seconds` are those of its file; `taken_channels`: 1 if both of
    its channels are the same, 0 if it is silent and set aside; `offset_samples`: where it would start;
    `inverted`, `stretch_ppm`, `muted`: how it would be used."""

    name: str
    file: str
    group: str | None
    sample_rate: int
    channels: int
    taken_channels: int
    seconds: float
    offset_samples: int
    inverted: bool
    stretch_ppm: float
    muted: bool


@dataclass(frozen=True)
class Plan:
    """What a job would do. `mix`: its file; `findings`: what was noticed in the input; `devices`: what the
    console offers; `about_seconds` and `about_mib`: what it is likely to take (`cost`), `about_seconds_of`:
    stage by stage."""

    mix: str
    sample_rate: int
    seconds: float
    stems: list[PlannedStem]
    findings: list[str]
    preset: str
    strategy: str
    devices: Devices
    formats: list[str]
    out: str
    about_seconds: float
    about_seconds_of: dict[str, float]
    about_mib: float
    defaults: Defaults | None
    schema: Literal["mix2daw.plan/1"] = PLAN_SCHEMA

    def to_json(self) -> str:
        """One JSON object."""
        return json_text(asdict(self))


def plan(job: Job, progress: Progress) -> Plan:
    """Read what a job would read, refuse what it would refuse, write nothing. Raises as `recover` does."""
    check_job(job)
    progress.stage("Reading", 1)
    planned = plan_job(job)
    session, size = planned.session, Size.of(planned.console)
    costs = expected(size, planned.settings, len(job.formats), job.report)
    of_stage: dict[str, float] = {}
    for cost in costs:
        of_stage[cost.stage] = round(of_stage.get(cost.stage, 0.0) + cost.seconds, 1)
    return Plan(
        mix=str(job.mix),
        sample_rate=session.sample_rate,
        seconds=round(session.mix.shape[1] / session.sample_rate, 3),
        stems=[_stem(probe(path), session) for path in find_stems(job.stems, job.mix)],
        findings=list(session.findings),
        preset=job.settings.preset,
        strategy=job.settings.strategy,
        devices=Devices.counted(planned.offered),
        formats=list(job.formats),
        out=str(job.out),
        about_seconds=round(sum(cost.seconds for cost in costs)),
        about_seconds_of=of_stage,
        about_mib=round(memory_mib(size)),
        defaults=job.defaults,
    )


def _stem(file: AudioFile, session: Session) -> PlannedStem:
    everyone = (*session.tracks, *session.muted)
    track = next((track for track in everyone if track.name == file.name), None)
    return PlannedStem(
        name=file.name,
        file=str(file.path),
        group=None if track is None else track.group,
        sample_rate=file.sample_rate,
        channels=file.channels,
        taken_channels=0 if track is None else track.audio.channels,
        seconds=round(file.duration_s, 3),
        offset_samples=0 if track is None else track.offset_samples,
        inverted=track is not None and track.inverted,
        stretch_ppm=0.0 if track is None else track.stretch_ppm,
        muted=track is not None and track in session.muted,
    )
