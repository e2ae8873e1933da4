"""Codes of what is good to know, and nothing has to be done about."""

from __future__ import annotations

from mix2daw.check.code import Code

NOTHING = "nothing"


def _note(name: str, means: str, said: str, remedy: str = NOTHING) -> Code:
    return Code(name, "note", means, said, remedy)


NOTES = (
    _note(
        "rate-differs",
        "Stems whose sample rate is not the mix's",
        "{stem_hz} Hz, the mix {mix_hz} Hz",
        "nothing: recover resamples them",
    ),
    _note(
        "depth-differs",
        "Files whose sample format is not the mix's",
        "{format}, the mix {mix_format}",
        "nothing, unless they could be exported with more bits",
    ),
    _note(
        "channels-differ",
        "Some stems are mono and some stereo",
        "mono; {stereo} others are stereo",
        "nothing: a mono stem is played on both channels",
    ),
    _note(
        "length-differs",
        "Stems that do not last as long as the mix, by more than 50 ms",
        "{shortest_s:.2f} to {longest_s:.2f} s, the mix {mix_s:.2f} s",
        "nothing: recover fills up with silence",
    ),
    _note(
        "start-stamped",
        "The Broadcast-WAV time reference of a stem differs from most stems', and so does its audio",
        "stamped {stamped_samples:+d} samples against most stems, and its audio fits there",
        "nothing: recover moves it",
    ),
    _note(
        "dual-mono",
        "Both channels of a stereo stem are the same, to −100 dB",
        "both channels are the same",
        "nothing: recover takes it as mono",
    ),
    _note(
        "mix-mono",
        "The mix has one channel, or two that are the same",
        "the mix is mono",
        "use the stereo mix, if there is one: pans cannot be found",
    ),
    _note(
        "lag",
        "A stem clearly starts earlier or later in the mix than in its file",
        "starts {lag_samples:+d} samples ({lag_ms:+.2f} ms) in the mix (agreement {agreement:.2f})",
        "nothing: recover moves it",
    ),
    _note(
        "mix-is-sum",
        "The mix is a plain sum of the stems, at unity or at static gains and pans, to −40 dB",
        "the sum of the stems at {gains} (difference {residual_db:.0f} dB)",
        "nothing: there is no processing to be found",
    ),
    _note(
        "true-peak",
        "Between its samples (oversampled four times) the mix is above full scale",
        "true peak {true_peak_dbtp:+.2f} dBTP",
    ),
    _note(
        "mix-level",
        "Always: loudness (ITU-R BS.1770-4), true peak and crest factor of the mix",
        "{loudness_lufs:.1f} LUFS, true peak {true_peak_dbtp:.2f} dBTP, crest factor {crest_db:.1f} dB",
    ),
    _note(
        "mix-explained",
        "Always: how much of the mix filters on the stems explain, octaves counting alike, and where least",
        "filters of up to {reach_ms:.0f} ms explain {explained_percent:.1f} % of the mix ({ceiling_db:.1f} "
        "dB); least {low_hz:.0f}–{high_hz:.0f} Hz ({band_percent:.0f} %) and {from_s:.1f}–{to_s:.1f} s "
        "({time_percent:.0f} %)",
    ),
    _note(
        "too-short",
        "The song is too short for the number of stems: filters could explain anything, and are not measured",
        "{duration_s:.1f} s are too short to tell {stems} stems apart",
    ),
)
