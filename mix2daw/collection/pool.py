"""Songs spread over processes of this machine, one song in each at a time.

A process that dies takes no more with it than its song's last seconds: another takes its place and goes on
from what the search had kept. If this process dies, the others end at once.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import SpawnContext

from mix2daw.collection.job import Failure, Outcome, SongJob, do_song

ATTEMPTS = 3  # a song that killed so many processes is left
# What the libraries beneath ask for their number of threads, when they are loaded; and threads that wait in a
# loop for their next task starve those of other processes.
PATIENT = {"OMP_WAIT_POLICY": "PASSIVE"}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def outcomes(jobs: Sequence[SongJob], workers: int, threads: int) -> Generator[Outcome, None, None]:
    """The outcomes of all jobs, in the order in which they end. `threads`: of each of the `workers`."""
    waiting: queue.SimpleQueue[SongJob] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    ended: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()
    with _environment(threads):
        crew = [_Worker() for _ in range(min(workers, len(jobs)))]
        hands = [threading.Thread(target=worker.work, args=(waiting, ended), daemon=True) for worker in crew]
        for hand in hands:
            hand.start()
        try:
            for _ in jobs:
                outcome = ended.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                yield outcome
        finally:
            for worker in crew:
                worker.stop()
            for hand in hands:
                hand.join()


@contextmanager
def _environment(threads: int) -> Iterator[None]:
    """What processes inherit that are started meanwhile."""
    wanted = {**PATIENT, **dict.fromkeys(THREADS, str(threads))}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class _Worker:
    """A process, started when it is first needed and again when it has died."""

    def __init__(self) -> None:
        self._context: SpawnContext = multiprocessing.get_context("spawn")
        self._process: multiprocessing.process.BaseProcess | None = None
        self._line: Connection | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def work(
        self, waiting: queue.SimpleQueue[SongJob], ended: queue.SimpleQueue[Outcome | BaseException]
    ) -> None:
        """Do jobs until none waits."""
        try:
            while not self._stopped:
                ended.put(self._done(waiting.get_nowait()))
        except queue.Empty:
            pass
        except BaseException as error:
            ended.put(error)
        finally:
            self.stop()

    def stop(self) -> None:
        """End the process, whatever it is at."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()
                self._process.join()

    def _done(self, job: SongJob) -> Outcome:
        code: int | None = None
        for _ in range(ATTEMPTS):
            line = self._started()
            if line is None:
                break
            try:
                line.send(job)
                outcome: Outcome = line.recv()
            except (EOFError, OSError):
                code = self._buried()
            else:
                return outcome
        how = f"killed by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"
        what = f"its process was {how}, {ATTEMPTS} times"
        remedy = "use fewer workers, if there was not enough memory"
        failure = Failure(job.song.name, "died", str(job.song.stems), what, remedy)
        return Outcome(job.song.name, "failed", failure=failure)

    def _started(self) -> Connection | None:
        with self._lock:
            if self._stopped:
                return None
            if self._process is None:
                self._line, other = self._context.Pipe()
                self._process = self._context.Process(target=_serve, args=(other,), daemon=False)
                self._process.start()
                other.close()
            return self._line

    def _buried(self) -> int | None:
        with self._lock:
            process, self._process = self._process, None
            if self._line is not None:
                self._line.close()
            if process is None:
                return None
            process.join()
            return process.exitcode


def _serve(line: Connection) -> None:
    """What a worker does: jobs in, outcomes out. An interrupt at the terminal is for whoever leads."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            job: SongJob = line.recv()
        except EOFError:
            return
        line.send(do_song(job))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)
