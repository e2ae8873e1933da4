"""Codes of what would spoil a recovery."""

from __future__ import annotations

from mix2daw.check.code import Code


def _warning(name: str, means: str, said: str, remedy: str) -> Code:
    return Code(name, "warning", means, said, remedy)


WARNINGS = (
    _warning(
        "group-unused",
        "A pattern of groups.yaml matches no stem, or only stems that an earlier group took",
        "{what}",
        "correct the pattern, or take it out",
    ),
    _warning(
        "stem-silent",
        "A stem's RMS is below −90 dBFS, in its file or in what the mix has of it",
        "silent: RMS {rms_dbfs:.0f} dBFS, peak {peak_dbfs:.0f} dBFS",
        "recover sets it aside; export it again if it should sound",
    ),
    _warning(
        "stem-denormal",
        "A stem is not zero, but never above −200 dBFS: what plug-ins add against denormal numbers",
        "nothing but denormal noise: peak {peak_dbfs:.0f} dBFS",
        "recover sets it aside; export it again if it should sound",
    ),
    _warning(
        "channel-silent",
        "One channel of a stereo stem is below −90 dBFS, the other is not",
        "the {silent} channel is silent ({silent_dbfs:.0f} dBFS), the other is at {other_dbfs:.1f} dBFS RMS",
        "export it in mono if a channel was lost",
    ),
    _warning(
        "channels-opposed",
        "One channel of a stereo stem is the other with inverted polarity, to −60 dB",
        "the right channel is the left one inverted (their sum is {sum_db:.0f} dB): it is gone in mono",
        "invert one channel, unless it was meant so",
    ),
    _warning(
        "clipped",
        "Runs of three and more equal samples at the peak of a channel, into and out of which the signal "
        "jumps; at any level, so that a clipped file that was turned down is found, too",
        "{runs} flat tops at {ceiling_dbfs:.2f} dBFS, up to {longest_samples} samples long, the first at "
        "{first_s:.3f} s",
        "export it again at a lower level",
    ),
    _warning(
        "dc-offset",
        "A mean above −50 dBFS that stays from second to second",
        "DC offset of {offset_lin:+.4f} of full scale ({offset_dbfs:.1f} dBFS)",
        "high-pass it at 10 Hz or less, or export it again",
    ),
    _warning(
        "band-limit",
        "A brick wall from 6 kHz up to 0.45 of the sample rate, 20.3 kHz at most: the level falls by 20 dB "
        "and more within 600 Hz, and nothing comes above it",
        "nothing above {wall_hz:.0f} Hz, where the level falls by {fall_db:.0f} dB: typical {source}",
        "use the file that it was made from",
    ),
    _warning(
        "lossy-file",
        "A file of a lossy format (MP3, Vorbis, Opus)",
        "lossy: {format}",
        "use a WAV, FLAC or AIFF file of what it was made from",
    ),
    _warning(
        "stems-equal",
        "Two stems hold the same audio, to −90 dB",
        "the same audio (difference {residual_db:.0f} dB)",
        "take one of both out; recover mutes the first",
    ),
    _warning(
        "stems-scaled",
        "Two stems are the same up to a gain and a pan, to −40 dB",
        "the first is the second at {gain_db:+.2f} dB{polarity} (difference {residual_db:.0f} dB)",
        "take one of both out; recover mutes the first",
    ),
    _warning(
        "stem-is-sum",
        "A stem is a sum of others at static gains, to −40 dB: a bounce of a group beside its members",
        "the first is the sum of the others (difference {residual_db:.0f} dB)",
        "take the members out to mix the sum; recover mutes the sum",
    ),
    _warning(
        "mix-among-stems",
        "One of several stems, at a static gain, is the mix, to −40 dB",
        "the mix at {gain_db:+.2f} dB (difference {residual_db:.0f} dB)",
        "take it out of the folder; recover mutes it",
    ),
    _warning(
        "stem-not-in-mix",
        "What a stem's filter explains of the mix, beside the others', is chance, even in clear moments",
        "not to be found in the mix: explains {share_db:.0f} dB of it, {times_chance:.1f} times chance",
        "nothing if it is muted there: recover mutes it; else the mix has another take, or it elsewhere",
    ),
    _warning(
        "polarity-inverted",
        "A stem's phases in the mix are its own turned by 180°, beyond a delay and what an equalizer turns",
        "inverted polarity in the mix (agreement {agreement:.2f}, as it is {upright:.2f})",
        "nothing: recover uses it inverted",
    ),
    _warning(
        "lag-unsure",
        "A stem seems to start elsewhere in the mix, but several places fit",
        "seems to start elsewhere in the mix, but several places fit",
        "move it to where it starts in the mix; recover leaves it where it is",
    ),
    _warning(
        "drift",
        "The lag between stem and mix changes evenly along the song, by more than 2 ppm and clearly; told of "
        "the mix if it does so against all stems alike",
        "its clock drifts against {against}: lag {drift_ppm:+.1f} ± {error_ppm:.1f} ppm, {late_samples:+.1f} "
        "samples from start to end",
        "recover with --correct-drift, or resample it to {factor:.7f} times its length",
    ),
    _warning(
        "stem-cut",
        "A stem sounds before the mix begins, or after it ends",
        "sounds {before_s:.2f} s before the mix begins, {after_s:.2f} s after it ends",
        "give the whole mix; recover cuts the stem",
    ),
    _warning(
        "start-differs",
        "The Broadcast-WAV time reference of a stem differs from most stems', and not as its audio does",
        "stamped {stamped_samples:+d} samples against most stems, but its audio fits at {found_samples:+d}",
        "nothing if it is the stamp that is wrong; else export all from one start",
    ),
    _warning(
        "phases-disagree",
        "In the bands where a stem is heard, its filter explains little, but the mix's level follows it",
        "phases do not agree with the mix in {bands} of {heard_bands} bands where it is heard, levels do "
        "(correlation {follows:.2f})",
        "give it as it is in the mix: modulated, stretched, that take; else magnitudes alone set its level",
    ),
    _warning(
        "mix-unexplained",
        "45 % and more of a third of an octave, for 3 s and more and loud enough to be heard, is nothing "
        "that filters on the stems make; not told beside phases that disagree, which are a reason",
        "{left_percent:.0f} % of {low_hz:.0f}–{high_hz:.0f} Hz from {from_s:.1f} to {to_s:.1f} s is not the "
        "stems' (of the whole mix {total_percent:.0f} %): a stem is missing, or heavily processed",
        "look for a missing stem; or give stems with their distortion, modulation and long reverb",
    ),
    _warning(
        "mix-limited",
        "The mix's peaks pile up at a ceiling, as a limiter or clipper leaves them",
        "{peaks_per_s:.1f} peaks a second within 0.1 dB of {ceiling_dbfs:.2f} dBFS, {pile_up:.1f} times as "
        "many as below; {flat_tops} flat tops; crest factor {crest_db:.1f} dB",
        "use the mix before its limiter, if there is one",
    ),
    _warning(
        "fade-in",
        "The mix grows louder at its start while the stems do not, by 12 dB and more",
        "fades in against the stems: {depth_db:.0f} dB at {from_s:.1f} s, −1 dB at {to_s:.1f} s",
        "use a mix without the fade, or cut mix and stems there: settings stand still",
    ),
    _warning(
        "fade-out",
        "The mix grows softer at its end while the stems do not, by 12 dB and more",
        "fades out against the stems: −1 dB at {from_s:.1f} s, {depth_db:.0f} dB at {to_s:.1f} s",
        "use a mix without the fade, or cut mix and stems there: settings stand still",
    ),
)
