"""Where stems lie in the mix: their lags, their polarity, their clocks, and what their time stamps say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mix2daw.check.drift import Drift
from mix2daw.check.findings import Finding, finding
from mix2daw.lag import Lag
from mix2daw.placing import STAMP_SLACK_S, Cut
from mix2daw.stamps import stamp_s
from mix2daw.stems import AudioFile

LEAST_CUT_S = 0.02
ALIKE_PPM, ALIKE_ERRORS = 2.0, 4.0


def lag_findings(file: AudioFile, lag: Lag, sample_rate: int) -> Iterator[Finding]:
    """A stem that starts elsewhere, or is inverted."""
    if lag.unsure:
        yield finding("lag-unsure", [file.path], {})
    if lag.samples:
        measured = {
            "lag_samples": lag.samples,
            "lag_ms": 1000 * lag.samples / sample_rate,
            "agreement": max(lag.agreement, lag.inverted),
        }
        yield finding("lag", [file.path], measured)
    if lag.is_inverted:
        measured = {"agreement": lag.inverted, "upright": lag.agreement}
        yield finding("polarity-inverted", [file.path], measured)


def cut_findings(file: AudioFile, cut: Cut, sample_rate: int) -> Iterator[Finding]:
    """A stem that sounds where the mix is not."""
    before, after = cut.start_samples / sample_rate, cut.end_samples / sample_rate
    if max(before, after) > LEAST_CUT_S:
        yield finding("stem-cut", [file.path], {"before_s": before, "after_s": after})


def common_drift(drifts: Sequence[Drift]) -> Drift | None:
    """The drift that all stems of known clocks have alike, None if they have not."""
    if len(drifts) < 2 or not all(drift.clear for drift in drifts):
        return None
    best = min(drifts, key=lambda drift: drift.error_ppm)
    off = (abs(drift.ppm - best.ppm) > max(ALIKE_PPM, ALIKE_ERRORS * drift.error_ppm) for drift in drifts)
    return None if any(off) else best


def drift_finding(path: Path, drift: Drift, of_mix: bool) -> Finding:
    """A clock that drifts: that of a stem, or that of the mix against all stems."""
    measured = {
        "drift_ppm": drift.ppm,
        "error_ppm": drift.error_ppm,
        "late_samples": drift.samples,
        "factor": 1 + (-drift.ppm if of_mix else drift.ppm) * 1e-6,
        "against": "all stems" if of_mix else "the mix",
    }
    return finding("drift", [path], measured)


def stamp_findings(lags: Mapping[Path, Lag], rates: Mapping[Path, int], mix_hz: int) -> Iterator[Finding]:
    """Time references that differ from most stems', against where the audio fits. `lags`, `rates`: of stems.

    What the mix is stamped with says nothing: it is often bounced from another start.
    """
    stamps = {path: stamp_s(path, rates[path]) for path in lags}
    known = {path: stamped_s for path, stamped_s in stamps.items() if stamped_s is not None}
    if not known:
        return
    most_s = Counter(known.values()).most_common(1)[0][0]
    most_samples = Counter(lags[path].samples for path in known).most_common(1)[0][0]
    for path, stamped_s in known.items():
        late_s, found = stamped_s - most_s, lags[path].samples - most_samples
        if abs(late_s) > STAMP_SLACK_S:
            measured = {"stamped_samples": round(late_s * mix_hz), "found_samples": found}
            agrees = abs(late_s - found / mix_hz) < STAMP_SLACK_S
            yield finding("start-stamped" if agrees else "start-differs", [path], measured)
