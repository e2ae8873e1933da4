"""Where stems lie in a mix, and which way up: time stamps say where to look, what the audio says rules.

Stems that were exported together lie together. So where most of them are found at one place, the others are
looked for from there, too: the mix was cut at its start, or begins before the stems do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mix2daw.errors import InputError
from mix2daw.lag import Lag, find_lags
from mix2daw.silence import is_silent
from mix2daw.spool import Kept, Shelf, Spool
from mix2daw.stamps import stamp_s
from mix2daw.stems import AudioFile, Signal

LONGEST_SHARE = 1.1  # of the mix, for which a stem may sound if that is not known to be cut
SAME_SONG = "give stems and mix of the same song, from the same start"
TOGETHER_SAMPLES = 2  # stems whose lags differ by no more lie at one place
KNOWN = 0.9  # agreement of phases from which on a stem is of this mix, whatever its length
STAMP_SLACK_S = 0.001
LEAST_CUT_S = 0.005  # a stem that was resampled may be a little longer
UNCLEAR = 0.4  # agreement of inverted phases from which on it is told; less is no sign of anything


@dataclass(frozen=True)
class Places:
    """`lags`: of every stem, against its file's own start; `common_samples`: the one that most stems have
    alike, 0 if they have none. `stamped_samples`: where time stamps would put each stem, None without one;
    `by_mix`: against the time stamp of the mix. `mix_is_cut`: more than half of the stems are
    known to be of the mix, and sound on behind it."""

    lags: tuple[Lag, ...]
    common_samples: int
    stamped_samples: tuple[int | None, ...]
    by_mix: bool = False
    mix_is_cut: bool = False

    def lines(self, files: Sequence[AudioFile], sample_rate: int) -> list[str]:
        """What is to be told of the places, one line each."""
        lines, slack = [], STAMP_SLACK_S * sample_rate
        stamps = [stamp for stamp in self.stamped_samples if stamp is not None]
        usual = Counter(stamps).most_common(1)[0][0] if stamps else 0
        if self.common_samples:
            by_s, side = abs(self.common_samples) / sample_rate, self.common_samples < 0
            when = "into the stems" if side else "before the stems do"
            lines.append(f"the mix starts {by_s:.2f} s {when} ({abs(self.common_samples)} samples)")
        if self.by_mix and abs(usual - self.common_samples) > slack:
            lines.append(
                f"the time stamps put stems at {usual:+d} samples in the mix, their audio fits at "
                f"{self.common_samples:+d}: the audio rules"
            )
        for file, lag, stamp in zip(files, self.lags, self.stamped_samples, strict=True):
            late = lag.samples - self.common_samples
            differs = stamp is not None and abs(late - (stamp - usual)) > slack
            told = f"{file.name}: "
            if lag.unsure:
                lines.append(f"{told}seems to start elsewhere in the mix, but several places fit; not moved"
                             f"{' from where its time stamp has it' if stamp else ''}")  # fmt: skip
            elif differs:
                at = f"stamped {stamp:+d} samples, but its audio fits at {lag.samples:+d}"
                lines.append(f"{told}{at}: the audio rules")
            elif abs(late) > TOGETHER_SAMPLES or (late and not self.common_samples):
                when = "later" if lag.samples > 0 else "earlier"
                stamped = ", as it is stamped" if stamp else ""
                lines.append(f"{told}starts {abs(lag.samples)} samples {when} in the mix{stamped}")
            lines += [f"{told}{line}" for line in _polarity_lines(lag)]
        return lines


def _polarity_lines(lag: Lag) -> list[str]:
    if lag.is_inverted:
        return [
            f"inverted polarity in the mix, used inverted (agreement {lag.inverted:.2f}, as it is "
            f"{lag.agreement:.2f})"
        ]
    if lag.inverted > max(lag.agreement, UNCLEAR):
        return [
            f"may be inverted in the mix, but that is not clear (agreement {lag.inverted:.2f}, as it is "
            f"{lag.agreement:.2f}); left as it is"
        ]
    return []


def find_places(
    files: Sequence[AudioFile], stems: Sequence[Kept], mix: Signal, mix_file: AudioFile
) -> Places:
    """The places of stems (at the mix's rate, none silent) in a mix `(2, samples)`: up to 10 s from where
    they are stamped or begin, or half the mix."""
    rate = mix_file.sample_rate
    if not files:
        return Places((), 0, ())
    by_mix, stamps = _stamped(files, [stem.shape[1] for stem in stems], mix_file)
    starts = [stamp or 0 for stamp in stamps]
    lags = _lags_from(starts, stems, mix, rate)
    common = _common([lag.samples - start for lag, start in zip(lags, starts, strict=True)])
    if common:
        starts = [start + common for start in starts]
        if any(lag.samples != start for lag, start in zip(lags, starts, strict=True)):
            lags = _lags_from(starts, stems, mix, rate)
    common = _common([lag.samples for lag in lags])
    on = sum(_sounds_on(stem, lag, mix.shape[1]) for stem, lag in zip(stems, lags, strict=True))
    return Places(tuple(lags), common, tuple(stamps), by_mix, on > len(stems) / 2)


def _sounds_on(stem: Kept, lag: Lag, samples: int) -> bool:
    """Whether a stem that is known to be of the mix sounds for much longer than that."""
    far = stem.part(max(0, int(LONGEST_SHARE * samples) - lag.samples), stem.shape[1])
    known = max(lag.agreement, lag.inverted) > KNOWN and lag.is_known
    return known and bool(far.size) and not is_silent(far)


def _lags_from(starts: Sequence[int], stems: Sequence[Kept], mix: Signal, sample_rate: int) -> list[Lag]:
    """The lags of stems that are looked for from `starts` on."""
    spool = Spool()
    lying = [
        stem if start == 0 else spool.keep(moved(stem.read(), start, mix.shape[1]))
        for stem, start in zip(stems, starts, strict=True)
    ]
    found = find_lags(Shelf(lying), mix, sample_rate)
    return [replace(lag, samples=lag.samples + start) for lag, start in zip(found, starts, strict=True)]


def moved(signal: Signal, samples: int, most_samples: int) -> Signal:
    """A signal that starts later by some samples (earlier: below 0), as far as `most_samples`."""
    return np.pad(signal[:, max(0, -samples) :], ((0, 0), (max(0, samples), 0)))[:, :most_samples]


def _common(lags: Sequence[int]) -> int:
    """The lag that more than half of all stems, and two at least, have alike; 0 if there is none."""
    if not lags:
        return 0
    lag, _ = Counter(lags).most_common(1)[0]
    near = [other for other in lags if abs(other - lag) <= TOGETHER_SAMPLES]
    return lag if len(near) >= max(2, len(lags) // 2 + 1) and abs(lag) > TOGETHER_SAMPLES else 0


def _stamped(
    files: Sequence[AudioFile], lengths: Sequence[int], mix: AudioFile
) -> tuple[bool, list[int | None]]:
    """Whether time references of Broadcast-WAV files can be held against that of the mix; and where they put
    stems, in samples of the mix: else against the start that most of them have (if no two have one, the
    first). None for a file without one, or one that would lie outside the mix."""
    stamps = [stamp_s(file.path, file.sample_rate) for file in files]
    known = [stamp for stamp in stamps if stamp is not None]
    mix_s = stamp_s(mix.path, mix.sample_rate)

    def against(start_s: float) -> list[int | None]:
        late = [None if stamp is None else round((stamp - start_s) * mix.sample_rate) for stamp in stamps]
        return [
            at if at is not None and -length < at < mix.samples else None
            for at, length in zip(late, lengths, strict=True)
        ]

    if known and mix_s is not None and sum(at is not None for at in against(mix_s)) == len(known):
        return True, against(mix_s)
    if len(known) < 2:
        return False, [None] * len(files)
    most, count = Counter(known).most_common(1)[0]
    return False, against(most if count > 1 else min(known))


@dataclass(frozen=True)
class Cut:
    """How much of a stem lies outside the mix, at its start and at its end, if that sounds."""

    start_samples: int
    end_samples: int


def placed(
    file: AudioFile, signal: Signal, lag: Lag, sample_rate: int, samples: int, mix_is_cut: bool = False
) -> tuple[Signal, Cut]:
    """A stem on the time line of a mix of `samples`, and as long as it; and what of it lies outside. Raises
    InputError if it sounds for much longer than the mix, unless that is known to be cut (`Places`)."""
    before = signal[:, : max(0, -lag.samples)]
    if lag.samples:
        signal = np.pad(signal[:, before.shape[1] :], ((0, 0), (max(0, lag.samples), 0)))
    beyond = signal[:, samples:]
    cut = bool(beyond.size) and not is_silent(beyond)
    far = signal[:, int(LONGEST_SHARE * samples) :]
    if cut and not mix_is_cut and signal.shape[1] > LONGEST_SHARE * samples and not is_silent(far):
        what = f"sounds for {file.duration_s:.1f} s, the mix lasts {samples / sample_rate:.1f} s"
        raise InputError(file.path, what, SAME_SONG, "length-foreign")
    signal = np.pad(signal[:, :samples], ((0, 0), (0, max(0, samples - signal.shape[1]))))
    sounds_before = before.size and not is_silent(before)
    return signal, Cut(before.shape[1] if sounds_before else 0, beyond.shape[1] if cut else 0)


def cut_lines(cut_of: Mapping[str, Cut], sample_rate: int) -> list[str]:
    """What of stems lies outside the mix: one line if it is more than half of them, else one each."""
    lines = []
    for end in ("start", "end"):
        cuts = {
            name: cut.start_samples if end == "start" else cut.end_samples for name, cut in cut_of.items()
        }
        cuts = {name: samples for name, samples in cuts.items() if samples > LEAST_CUT_S * sample_rate}
        if len(cuts) > max(1, len(cut_of) // 2):
            longest_s = max(cuts.values()) / sample_rate
            lines.append(f"{len(cuts)} of {len(cut_of)} stems sound beyond the {end} of the mix, by up to "
                         f"{longest_s:.2f} s: cut there")  # fmt: skip
            continue
        lines += [
            f"{name}: cut at the {end} of the mix, {samples / sample_rate:.2f} s went"
            for name, samples in cuts.items()
        ]
    return lines
