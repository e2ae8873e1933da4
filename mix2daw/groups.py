"""Which tracks form a group: guessed from their names, or said by a `groups.yaml`.

A groups.yaml maps the name of a group to patterns of track names, in any letter case; the first group with
a matching pattern takes the track, and a track that none matches goes straight to the master:

    drums: [kick*, snare*, "oh ?"]
    vocals: [lead vox, "*harmony*"]

The guess takes a name apart into words ("01_KickIn.L" → kick, in, l) and believes the last word that it
knows, because in English the noun comes last: "clavi-bass" is a bass and "bass drum" a drum.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path

import yaml

from mix2daw import limits
from mix2daw.errors import InputError
from mix2daw.stems import name_key

MAX_NAME_LENGTH = limits.NAME_LENGTH
MAX_DEPTH = 3  # the mapping, a list, and one more for a message that names the group

Patterns = Mapping[str, tuple[str, ...]]
Groups = dict[str, tuple[str, ...]]

_WORDS: dict[str, str] = {
    "drums": """drum drumkit kit kick kik kck bd bassdrum snare snr sn sd tom floortom hat hihat hh cymbal
        crash ride china splash rim rimshot sidestick clap oh ohl ohr overhead beat loop""",
    "percussion": """perc percussion shaker tambourine tamb conga bongo cowbell cabasa djembe cajon triangle
        timbale guiro woodblock maracas snaps claves timpani tabla""",
    "bass": "bass bs subbass bassline bassgtr bassguitar bassgit",
    "guitars": "guitar gtr git guit acgtr elgtr egtr agtr banjo mandolin ukulele uke bouzouki dobro",
    "keys": """key keyboard piano pno epiano ep rhodes rodes wurli wurlitzer organ hammond clav clavi clavinet
        harpsichord accordion celesta harmonium mellotron""",
    "synths": "synth synthesizer syn arp arpeggio arpeggiator pluck moog juno poly sequencer seq",
    "strings": "string violin vln viola vla cello celli vc contrabass harp orchestra fiddle",
    "brass": "brass trumpet tpt trombone tbn horn sax saxophone tuba flugelhorn",
    "winds": "wind woodwind flute clarinet oboe bassoon recorder harmonica",
    "vocals": "vocal vox voc vx voice leadvox leadvoc ldvox lv singer rap adlib vocoder",
    "backing vocals": "bgv bv bvox bgvox backing backings bg choir harmony harmonies gang oohs aahs",
    "fx": "sfx efx riser impact whoosh foley",
}
# Words that say where a microphone stood or how a sound is used: believed only if no other word is known.
_FAINT_WORDS: dict[str, str] = {
    "drums": "room top",
    "bass": "sub 808",
    "guitars": "acoustic",
    "synths": "pad",
    "fx": "fx noise sweep ambience atmos effect",
}
# Names of two words whose last word alone would mislead.
_PAIRS = {("bass", word): "bass" for word in ("guitar", "gtr", "git", "di", "amp", "synth")}
_SINGING = ("vocals", "backing vocals")


def _lexicon(words: Mapping[str, str]) -> dict[str, str]:
    return {word: group for group, listed in words.items() for word in listed.split()}


_KNOWN, _FAINT = _lexicon(_WORDS), _lexicon(_FAINT_WORDS)


def guess_group(name: str) -> str | None:
    """The group that a track's name speaks of, or None.

    >>> [guess_group(name) for name in ("LeadVox", "Gtr DI L", "clavi-bass", "Bip 7")]
    ['vocals', 'guitars', 'bass', None]
    """
    words = _words(name)
    for pair in pairwise(words):
        if pair in _PAIRS:
            return _PAIRS[pair]
    found = [_KNOWN[word] for word in words if word in _KNOWN]
    if found and found[-1] in _SINGING:
        return "backing vocals" if "backing vocals" in found else "vocals"
    faint = [_FAINT[word] for word in words if word in _FAINT]
    known = found or faint
    return known[-1] if known else None


def _words(name: str) -> list[str]:
    """Words in lower case and the singular; a run of letters is split at capitals only if it is no word."""
    words: list[str] = []
    for run in re.findall(r"[^\W\d_]+|\d+", name):
        parts = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", run).split()
        words += [_singular(run)] if _singular(run) in _KNOWN else [_singular(part) for part in parts]
    return words


def _singular(word: str) -> str:
    word = word.lower()
    known = word in _KNOWN or word in _FAINT
    return word if known else word.removesuffix("s")


def guessed_groups(names: Iterable[str]) -> Groups:
    """Groups of at least two of the tracks, in the order of a console: drums first, effects last."""
    found: dict[str, list[str]] = {group: [] for group in _WORDS}
    for name in names:
        group = guess_group(name)
        if group is not None:
            found[group].append(name)
    return {group: tuple(members) for group, members in found.items() if len(members) > 1}


def sorted_into(patterns: Patterns, names: Iterable[str]) -> tuple[Groups, tuple[str, ...]]:
    """The tracks of each group, and a line for each pattern that matched none."""
    members: dict[str, list[str]] = {group: [] for group in patterns}
    unused = {(group, pattern) for group, listed in patterns.items() for pattern in listed}
    for name in names:
        for group, listed in patterns.items():
            hits = {(group, p) for p in listed if fnmatchcase(name_key(name), name_key(p))}
            if hits:
                members[group].append(name)
                unused -= hits
                break
    lines = tuple(
        f"group {group!r}: the pattern {pattern!r} matches no track (or only tracks of groups above it)"
        for group, listed in patterns.items()
        for pattern in dict.fromkeys(listed)
        if (group, pattern) in unused
    )
    return {group: tuple(tracks) for group, tracks in members.items() if tracks}, lines


def read_groups(path: Path) -> Patterns:
    """Patterns per group from a groups.yaml; an empty file has no groups.

    Raises InputError: unreadable, over 1 MiB or 10,000 patterns, no YAML, aliases, nested lists, a group
    named twice, or other types.
    """
    remedy = "write it as `drums: [kick*, snare*]`, one group a line"
    text = limits.read_text(path, limits.GROUPS_BYTES, InputError, "give the path of a groups.yaml")
    try:
        _check_structure(path, text, remedy)
        root = yaml.compose(text, yaml.SafeLoader)
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = path if mark is None else f"{path}, line {mark.line + 1}"
        problem = getattr(error, "problem", None) or type(error).__name__
        raise InputError(where, f"is no valid YAML ({problem})", remedy) from None
    if content is None:
        return {}
    if not isinstance(content, dict) or not isinstance(root, yaml.MappingNode):
        raise InputError(path, "does not map group names to lists of patterns", remedy)
    keys = [key.value for key, _ in root.value]
    for group, listed in content.items():
        _check_group(path, group, listed, remedy)
        if keys.count(group) > 1:
            raise InputError(f"{path}: {group}", "is there twice", "put its patterns into one list")
    return {group: tuple(listed) for group, listed in content.items()}


def _check_structure(path: Path, text: str, remedy: str) -> None:
    """Refuse what could make a small file a large task, before anything is built from it."""
    depth = scalars = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise InputError(path, "uses YAML aliases (*name)", "quote patterns that begin with *")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        scalars += isinstance(event, yaml.ScalarEvent)
        if scalars > limits.PATTERNS:
            raise InputError(path, f"has more than {limits.PATTERNS} patterns", remedy)
        if depth > MAX_DEPTH:
            raise InputError(path, "has lists within lists", remedy)


def _check_group(path: Path, group: object, listed: object, remedy: str) -> None:
    if not isinstance(group, str) or not 0 < len(group.strip()) <= len(group) <= MAX_NAME_LENGTH:
        what = f"a group's name is {group!r:.60}, not a text of 1 to {MAX_NAME_LENGTH} characters"
        raise InputError(path, what, "put it in quotes")
    if not isinstance(listed, list):
        raise InputError(f"{path}: {group}", "is not followed by a list of patterns", remedy)
    for pattern in listed:
        if not isinstance(pattern, str) or not 0 < len(pattern) <= MAX_NAME_LENGTH:
            what = f"{pattern!r:.60} is no pattern of 1 to {MAX_NAME_LENGTH} characters"
            raise InputError(f"{path}: {group}", what, "put it in quotes")


def exact_pattern(name: str) -> str:
    """The pattern that matches this name only."""
    return re.sub(r"([*?\[])", r"[\1]", name)
