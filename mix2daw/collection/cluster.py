"""Songs spread over a Ray cluster: the work of `pool`, on files that every machine sees at the same place.

Ray starts a song again if the process or the machine it ran on is lost; what the search had kept lies beside
its result, so it goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from dataclasses import replace
from importlib.util import find_spec

from mix2daw.collection.job import Failure, Outcome, SongJob, do_song
from mix2daw.errors import FormatError

RETRIES = 2
LOCAL = "local"  # a cluster of this machine's, for this run alone
AHEAD = 2  # songs that a place has before it: Ray holds no more of them


def check_ray() -> None:
    """Raise FormatError if Ray is not installed."""
    if find_spec("ray") is None:
        raise FormatError("--ray", "needs Ray, which is not installed", "pip install 'mix2daw[cluster]'")


def outcomes(
    jobs: Sequence[SongJob], address: str, threads: int, gpus: float
) -> Generator[Outcome, None, None]:
    """The outcomes of all jobs, in the order in which they end. `threads`, `gpus`: that each song is given.

    Raises FormatError for a cluster that does not answer.
    """
    import ray  # an optional library, and slow to load

    try:
        ray.init(
            address=None if address == LOCAL else address,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=False,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        what = f"no Ray cluster answers ({str(error).splitlines()[0]})"
        raise FormatError(f"--ray {address}", what, "start one with `ray start --head`") from None
    try:
        song = ray.remote(num_cpus=threads, num_gpus=gpus, max_retries=RETRIES)(_on_cluster)
        processors = ray.cluster_resources().get("CPU", 1)  # type: ignore[no-untyped-call]
        room = max(1, int(processors / threads)) * AHEAD
        waiting, running = iter(jobs), dict[object, SongJob]()
        while True:
            while len(running) < room and (job := next(waiting, None)) is not None:
                running[song.remote(_absolute(job), threads)] = job
            if not running:
                return
            ended, _ = ray.wait(list(running), num_returns=1)
            job = running.pop(ended[0])
            try:
                yield ray.get(ended[0])
            except ray.exceptions.RayError as error:
                what = f"its process was lost, {RETRIES + 1} times ({type(error).__name__})"
                failure = Failure(job.song.name, "died", str(job.song.stems), what, "see Ray's logs")
                yield Outcome(job.song.name, "failed", failure=failure)
    finally:
        ray.shutdown()


def _absolute(job: SongJob) -> SongJob:
    """A process of Ray's has another current folder."""
    song = job.song
    groups = None if song.groups is None else song.groups.absolute()
    there = replace(song, stems=song.stems.absolute(), mix=song.mix.absolute(), groups=groups)
    return replace(job, song=there, folder=job.folder.absolute())


def _on_cluster(job: SongJob, threads: int) -> Outcome:
    import numba
    import torch

    torch.set_num_threads(threads)
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
    return do_song(job)
