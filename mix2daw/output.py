"""Safe places to write: beside the target first, under its name only when whole.

A reader of the target sees the old result, none, or the new one, never half of one. An existing result is
replaced only when asked for, and only if everything in it is ours.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from mix2daw.errors import MixError, OutputError

RESULT_FILES = frozenset(
    {
        *("graph.json", "result.json", "groups.yaml", "report.html", "verify.json"),
        *("render.wav", "difference.wav", "mix.wav", "sessions", "impulses"),
        *("song.json", "graph-nodelink.json"),  # in a collection
    }
)
RESULT_MARKS = frozenset({"graph.json", "result.json"})
LOST_FILE = "lost.json"
LOCK_FILE = "lock"

_HARMLESS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


def check_file(target: Path, force: bool) -> None:
    """Raise OutputError unless a file may be written as `target`; writes nothing itself."""
    if target.is_dir():
        raise OutputError(target, "is a folder", "give the name of a file")
    if target.exists() and not force:
        raise OutputError(target, "exists already", "use --force to replace it, or another name")
    _check_parent(target)


def check_folder(
    target: Path,
    force: bool,
    ours: Collection[str] = RESULT_FILES,
    marks: Collection[str] = RESULT_MARKS,
    keep: Sequence[Path] = (),
) -> None:
    """Raise OutputError unless a result may be written as the folder `target`; writes nothing itself.

    With `force` an existing folder may be replaced if it is empty, or holds nothing but `ours` and at least
    one of `marks`, and none of the files and folders `keep` (what the new result is made from).
    """
    for path in keep:
        # Path.resolve has an error of its own for a link that leads to itself.
        if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(target)):
            raise OutputError(target, f"holds {path.name!r}, which is read", "write to another folder")
    if not os.path.lexists(target):
        _check_parent(target)
        return
    if not target.is_dir():
        raise OutputError(target, "exists and is not a folder", "write to another folder")
    _check_parent(target)
    try:
        found = {path.name for path in target.iterdir()} - _HARMLESS
    except OSError as error:
        raise OutputError(target, _reason(error), "write to another folder") from None
    if not force:
        raise OutputError(target, "exists already", "use --force to replace it, or another folder")
    foreign = sorted(found - set(ours))
    if foreign:
        what = f"holds {foreign[0]!r}, which mix2daw did not write, and is not replaced"
        raise OutputError(target, what, "write to another folder")
    if found and not found & set(marks):
        raise OutputError(target, "is no earlier result and is not replaced", "write to another folder")


def check_gathering(target: Path, ours: Collection[str], what: str) -> None:
    """Raise OutputError unless `target` may be made, or be gone on with: a folder that holds nothing but
    `ours` and what is hidden. `what`: the kind of result, for the error."""
    if not target.exists():
        _check_parent(target)
        return
    if not target.is_dir():
        raise OutputError(target, "exists and is not a folder", "write to another folder")
    foreign = sorted(p.name for p in target.iterdir() if p.name not in ours and p.name[0] != ".")
    if foreign:
        raise OutputError(target, f"holds {foreign[0]!r}, which is not of {what}", "write to another folder")


@contextmanager
def work_folder(target: Path, worth: str) -> Iterator[Path]:
    """A folder beside `target`, for what is needed to go on if this process is killed. It goes away when the
    block ends well; if the block raises, it stays for the next run if it holds a file called `worth`.

    One run at a time has it: OutputError for a second one.
    """
    target = target.resolve()
    place = target.with_name(f".{target.name}.work")
    made: list[Path] = []
    try:
        made = _make_parents(place)
        lock = FileLock(place / LOCK_FILE, timeout=0)
        lock.acquire()
    except Timeout:
        raise OutputError(target, "is being written by another run", "wait for it, or take another") from None
    except OSError as error:
        raise OutputError(target, _reason(error), "write to another folder") from None
    ended = False
    try:
        yield place
        ended = True
    finally:
        if ended or not (place / worth).exists():
            shutil.rmtree(place, ignore_errors=True)
        lock.release()
        _remove_empty(made[1:])


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target`, which becomes `target` when the block ends well.

    A folder that stands in its place is removed after the new one is whole. When the block raises, the
    temporary folder and any parents made for it are removed. Raises OutputError if a step is refused.
    """
    target = target.resolve()
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    made: list[Path] = []
    try:
        try:
            made = _make_parents(target.parent)
            _clear_away(target)
            partial.mkdir()
        except OSError as error:
            raise OutputError(target, _reason(error), "write to another folder") from None
        with _told_of(target, partial):
            yield partial
            _settle(partial)
        _put_in_place(partial, target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        _remove_empty(made)
        raise


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """A name beside `target`, what is written to it becomes `target` when the block ends well, and goes away
    when it raises."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with _told_of(target, partial):
            yield partial
            partial.replace(target)
    finally:
        with suppress(OSError):  # what is said of the failure before it counts
            partial.unlink(missing_ok=True)


@contextmanager
def _told_of(target: Path, partial: Path) -> Iterator[None]:
    """What is said of `partial` in the block is said of `target`, which it is to become, and what the system
    refuses there is an OutputError."""
    try:
        yield
    except MixError as error:
        error.rename(partial, target)
        raise
    except OSError as error:
        file = str(error.filename or partial)
        if not file.startswith(str(partial)):
            raise
        where = file.replace(str(partial), str(target))
        raise OutputError(where, _reason(error), "check the folder and free space") from None


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with line feeds on every system. Raises OutputError."""
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputError(path, _reason(error), "check the folder and free space") from None


def json_text(value: Mapping[str, object]) -> str:
    """JSON with two-space indent and one newline at the end; numbers that are not finite become null."""
    return json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _check_parent(target: Path) -> None:
    parent = target.resolve().parent
    while not os.path.lexists(parent) and parent != parent.parent:
        parent = parent.parent
    if not parent.is_dir():
        raise OutputError(target, f"cannot be made: {parent.name!r} is not a folder", "write somewhere else")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(target, f"cannot be made: no permission in {str(parent)!r}", "write somewhere else")


def _make_parents(folder: Path) -> list[Path]:
    """Make `folder` and its parents; returns those made, deepest first."""
    missing: list[Path] = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for parent in reversed(missing):
        parent.mkdir()
    return missing


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _clear_away(target: Path) -> None:
    """Remove what runs that were killed left beside `target`; a result that one of them was about to replace
    comes back."""
    pattern = re.compile(re.escape(f".{target.name}.") + r"(\d+)\.(part|old)")
    for path in target.parent.iterdir():
        left = pattern.fullmatch(path.name)
        # In a container the numbers of processes begin anew: one that was killed had ours, as like as not.
        if left is None or (int(left[1]) != os.getpid() and _is_running(int(left[1]))):
            continue
        if left[2] == "old" and not target.exists():
            path.rename(target)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _settle(folder: Path) -> None:
    """Have the disk hold all files of a folder before an older result goes: a power cut takes what is only in
    memory."""
    if sys.platform == "win32":  # where only who writes a file may ask for that
        return
    for path in (*folder.rglob("*"), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_running(process: int) -> bool:
    if sys.platform == "win32":  # where asking would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _put_in_place(partial: Path, target: Path) -> None:
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    try:
        if target.exists():
            target.rename(old)
        try:
            partial.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    except OSError as error:
        raise OutputError(target, _reason(error), "check the folder and try again") from None
    # The new result stands: what is left of the old one is no reason to fail.
    shutil.rmtree(old, ignore_errors=True)


def _reason(error: OSError) -> str:
    return f"cannot be written ({error.strerror or error})"
