"""The losses against their definition written plainly, published reference values and finite differences."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest
import scipy.signal as sps
import torch

from mix2daw.dsp.mel import mel_magnitudes, overlapping_pairs
from mix2daw.dsp.resample import FilteredResampler, fast_length
from mix2daw.dsp.weighting import a_weighting_fir, mel_filterbank
from mix2daw.loss import SegmentLoss, SongScore, WaveformLoss, published_la
from mix2daw.stems import find_stems, probe, read_audio, resample, stereo

SONGS = Path(__file__).parents[2] / "shared" / "songs"
PARTS = ("full", "left_right", "mid", "side")


def noise(seconds: float, rate: int, seed: int, level: float = 0.1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return level * torch.randn(2, int(seconds * rate), generator=generator)


def music(seconds: float, rate: int, seed: int) -> np.ndarray:
    """Decaying chords, the side far below the mid: frames, bands and channels all differ."""
    rng = np.random.default_rng(seed)
    out = np.zeros((2, int(seconds * rate)))
    for start in range(0, out.shape[1], rate // 4):
        time_s = np.arange(min(rate, out.shape[1] - start)) / rate
        for frequency_hz in 55 * 2 ** rng.uniform(0, 7, 3):
            tone = np.exp(-6 * time_s) * np.sin(2 * np.pi * frequency_hz * time_s)
            level = rng.uniform(0.01, 0.1)
            out[:, start : start + len(tone)] += [level * tone, level * rng.uniform(0.9, 1.1) * tone]
    return out.astype(np.float32)


def plain_la(estimate: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """La at 30 kHz as it is defined, in double precision and without any of the product's shortcuts."""
    taps = a_weighting_fir(30000)
    channels = []
    for mix in ((1, 0), (0, 1), (1, 1), (1, -1)):
        scales = []
        for size in (512, 1024, 4096):
            bands = librosa.filters.mel(sr=30000, n_fft=size, n_mels=96, dtype=np.float64)
            window = sps.get_window("hann", size, fftbins=True)
            spectra = []
            for signal in (estimate, target):
                weighted = np.convolve(np.dot(mix, signal.astype(np.float64)), taps, mode="same")
                padded = np.pad(weighted, size // 2, mode="reflect")
                frames = np.lib.stride_tricks.sliding_window_view(padded, size)[:: size // 4]
                power = np.abs(np.fft.rfft(frames * window)) ** 2
                spectra.append(bands @ np.sqrt(np.maximum(power, 1e-4)).T)
            p, t = spectra
            log_term = np.abs(np.log(p) - np.log(t)).mean()
            scales.append([log_term + np.linalg.norm(p - t) / np.linalg.norm(x) for x in (p, t)])
        channels.append(np.mean(scales, axis=0))
    result = {}
    for prefix, (left, right, mid, side) in zip(("", "paper."), np.transpose(channels), strict=True):
        parts = (np.mean([left, right, mid, side]), (left + right) / 2, mid, side)
        result |= {prefix + part: float(value) for part, value in zip(PARTS, parts, strict=True)}
    return result


def mean_of(results: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([result[name] for result in results])) for name in results[0]}


@pytest.mark.parametrize("size", [512, 1024, 4096])
def test_mel_bands_are_slaneys(size: int) -> None:
    reference = librosa.filters.mel(sr=30000, n_fft=size, n_mels=96)
    assert np.abs(mel_filterbank(30000, size) - reference).max() < 1e-7 * reference.max() + 1e-9
    narrow = librosa.filters.mel(sr=44100, n_fft=size, n_mels=40, fmin=50, fmax=9000)
    assert np.abs(mel_filterbank(44100, size, 40, 50, 9000) - narrow).max() < 1e-8


def test_a_weighting_follows_the_standard_where_the_filter_is_long_enough() -> None:
    # Table values of IEC 61672. Below 1 kHz 101 taps are too short, near 15 kHz the transform warps.
    taps = a_weighting_fir(30000)
    for frequency_hz, level_db in ((1000, 0.0), (2000, 1.2), (4000, 1.0)):
        _, (response,) = sps.freqz(taps, worN=[frequency_hz], fs=30000)
        assert 20 * np.log10(abs(response)) == pytest.approx(level_db, abs=0.3)
    assert np.allclose(taps, taps[::-1], atol=1e-15)


@pytest.mark.parametrize("minimum", [1, 2, 3, 1021, 4097, 44099, 307201])
def test_fast_lengths_are_even_smooth_and_close(minimum: int) -> None:
    length = fast_length(minimum)
    assert minimum <= length <= max(2, 1.1 * minimum) + 2
    assert length % 2 == 0
    for prime in (2, 3, 5):
        while length % prime == 0:
            length //= prime
    assert length == 1


def test_at_equal_rates_the_resampler_is_a_convolution() -> None:
    signal, taps = noise(0.5, 30000, 0), a_weighting_fir(30000)
    result = FilteredResampler(15000, 30000, 30000, taps)(signal)
    expected = np.stack([np.convolve(row, taps, mode="same") for row in signal.double().numpy()])
    assert np.abs(result.numpy() - expected).max() < 1e-6


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 96000])
def test_the_resampler_agrees_with_soxr(rate: int) -> None:
    signal = music(2, rate, 1)
    result = FilteredResampler(signal.shape[1], rate, 30000, np.ones(1))(torch.from_numpy(signal)).numpy()
    expected = resample(signal, rate, 30000)
    assert result.shape == expected.shape
    inside = slice(1000, -1000)
    assert np.abs(result - expected)[:, inside].max() < 2e-3 * np.abs(expected).max()


def test_the_resampler_takes_only_what_was_announced() -> None:
    with pytest.raises(ValueError, match="expected 1000 samples, got 999"):
        FilteredResampler(1000, 44100, 30000, np.ones(1))(torch.zeros(2, 999))


@pytest.mark.parametrize(
    ("scale", "called", "paper"), [(0.01, 98.7, 5.3), (100.0, 5.6, 103.6), (0.0, 245.0, 6.0)]
)
def test_reference_values_of_the_published_code(scale: float, called: float, paper: float) -> None:
    target = noise(6.6, 30000, 0)  # whole segments: padding would dilute the mean
    la = published_la(scale * target, target, 30000)
    assert la["full"] == pytest.approx(called, rel=0.004)
    assert la["paper.full"] == pytest.approx(paper, rel=0.012)


def test_a_segment_is_scored_as_defined() -> None:
    target, estimate = music(1.5, 30000, 0), music(1.5, 30000, 1)
    expected = plain_la(estimate, target)
    for prefix, loss in (
        ("", SegmentLoss(torch.from_numpy(target), 30000, order="called")),
        ("paper.", SegmentLoss(torch.from_numpy(target), 30000)),
    ):
        for part, value in loss(torch.from_numpy(estimate)).items():
            assert value.item() == pytest.approx(expected[prefix + part], rel=2e-5)


@pytest.mark.parametrize("rate", [44100, 48000])
def test_at_the_rate_of_a_song_it_is_the_same_score(rate: int) -> None:
    target, estimate = music(3, rate, 0), music(3, rate, 1)
    expected = plain_la(resample(estimate, rate, 30000), resample(target, rate, 30000))
    result = SegmentLoss(torch.from_numpy(target), rate)(torch.from_numpy(estimate))
    for part in PARTS:
        assert result[part].item() == pytest.approx(expected["paper." + part], rel=2e-3)


def test_the_pre_roll_is_not_scored() -> None:
    target, estimate = noise(2, 30000, 0), noise(2, 30000, 1)
    loud = estimate.clone()
    loud[:, :30000] += 10
    loss = SegmentLoss(target, 30000, skip_samples=30000)
    wave = WaveformLoss(target, 30000, skip_samples=30000)
    late = SegmentLoss(target[:, 30000:], 30000)(estimate[:, 30000:])
    assert loss(loud)["full"].item() == loss(estimate)["full"].item() == late["full"].item()
    assert wave(loud).item() == wave(estimate).item()


def test_a_whole_song_is_the_mean_of_its_segments_without_the_padding() -> None:
    seconds = 1 + 2 * 2.8 + 0.9  # two whole stretches, and a last one that is mostly padding
    target, estimate = music(seconds, 30000, 0), music(seconds, 30000, 1)
    cuts = [slice(30000, 114000), slice(114000, 198000)]
    result = published_la(torch.from_numpy(estimate), torch.from_numpy(target), 30000)
    expected = mean_of([plain_la(estimate[:, cut], target[:, cut]) for cut in cuts])
    assert result == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize("rate", [30000, 44100])
def test_the_score_in_one_pass_is_that_of_the_song(rate: int) -> None:
    seconds = 1 + 2 * 2.8 + 0.9
    target, estimate = music(seconds, rate, 0), music(seconds, rate, 1)
    pair = torch.from_numpy(estimate), torch.from_numpy(target)
    score = SongScore(pair[1], rate, skip_samples=rate)(pair[0])
    assert len(score) == 2
    assert score.mean().item() == pytest.approx(published_la(*pair, rate)["full"], rel=0.03)
    assert float(SongScore(pair[1], rate, rate)(pair[1]).abs().max()) == 0


def test_mel_magnitudes_are_those_of_the_filterbank() -> None:
    bands = mel_filterbank(30000, 1024, 96)
    left_right = torch.randn(2, 5, 513, generator=torch.Generator().manual_seed(0), dtype=torch.complex64)
    left, right = left_right.to(torch.complex128)
    channels = torch.stack([left, right, left + right, left - right]).abs().clamp(min=1e-2)
    expected = (channels @ torch.from_numpy(bands).T).transpose(1, 2)
    result = mel_magnitudes(left_right, overlapping_pairs(bands), 96)
    torch.testing.assert_close(result.double(), expected, rtol=1e-6, atol=0)
    with pytest.raises(ValueError, match="neighbouring"):
        overlapping_pairs(np.ones((3, 4)))


@pytest.mark.parametrize("seconds", [0.05, 1.0, 2.5])
def test_songs_shorter_than_a_segment_are_scored_in_one_piece(seconds: float) -> None:
    target, estimate = noise(seconds, 30000, 0), noise(seconds, 30000, 1)
    start = 30000 if seconds > 2 else 0
    padding = (0, max(0, 4096 - target.shape[1]))
    cut = [torch.nn.functional.pad(x[:, start:], padding).numpy() for x in (estimate, target)]
    assert published_la(estimate, target, 30000) == pytest.approx(plain_la(*cut), rel=2e-5)


def test_no_difference_is_no_loss_and_has_a_finite_gradient() -> None:
    for target in (noise(1, 44100, 0), torch.zeros(2, 44100)):
        estimate = target.clone().requires_grad_()
        total = SegmentLoss(target, 44100)(estimate)["full"] + WaveformLoss(target, 44100)(estimate)
        total.backward()
        assert total.item() == pytest.approx(1e-4, abs=1e-6)  # the floor of the waveform term
        assert estimate.grad is not None
        assert torch.isfinite(estimate.grad).all()


@pytest.mark.parametrize("order", ["called", "paper"])
def test_gradients_agree_with_finite_differences(order: str) -> None:
    rate = 44100
    target, direction = noise(1, rate, 0), noise(1, rate, 2)
    base = 0.7 * target + 0.3 * noise(1, rate, 1)
    spectral = SegmentLoss(target, rate, skip_samples=4410, order=order)  # type: ignore[arg-type]
    waveform = WaveformLoss(target, rate, skip_samples=4410)
    terms = [*(lambda x, part=part: spectral(x)[part] for part in PARTS), waveform]
    for term in terms:
        estimate = base.double().requires_grad_()
        (gradient,) = torch.autograd.grad(term(estimate), estimate)
        step = 1e-5
        ends = [term(base.double() + sign * step * direction.double()).item() for sign in (1, -1)]
        expected = (ends[0] - ends[1]) / (2 * step)
        assert (gradient * direction).sum().item() == pytest.approx(expected, rel=1e-4)


def test_the_waveform_term_hears_polarity_and_delay_that_la_does_not() -> None:
    target = noise(1, 44100, 0)
    flipped = SegmentLoss(target, 44100)(-target)["full"].item()
    assert flipped < 1e-4
    loss = WaveformLoss(target, 44100)
    assert loss(-target).item() == pytest.approx(2, rel=1e-5)
    assert loss(0 * target).item() == pytest.approx(1, rel=1e-5)
    assert loss(target.roll(20, 1)).item() > 1


def test_the_waveform_term_counts_a_quiet_octave_as_a_loud_one() -> None:
    rate = 44100
    time_s = torch.arange(rate) / rate
    low, high = (torch.sin(2 * torch.pi * f * time_s) for f in (100, 6000))
    target = (low + 0.01 * high).expand(2, -1)
    without_high = WaveformLoss(target, rate)(low.expand(2, -1)).item()
    # Unwhitened, the high tone at -40 dB would be an error of 0.01.
    assert without_high > 0.3


def test_the_waveform_term_counts_as_far_as_phases_agree() -> None:
    rate, target = 44100, noise(1, 44100, 0)
    time_s = torch.arange(rate) / rate
    loss = WaveformLoss(target, rate)
    coherence = (torch.linspace(0, rate / 2, 513) < 3000).float()
    trusting = loss.trusting(coherence)
    errors = {hz: target + 0.3 * torch.sin(2 * torch.pi * hz * time_s) for hz in (1000, 8000)}
    assert trusting(errors[1000]).item() == pytest.approx(loss(errors[1000]).item(), rel=1e-3)
    assert trusting(errors[8000]).item() < 0.02 < loss(errors[8000]).item()
    assert loss.trusting(torch.ones(513))(errors[8000]).item() == loss(errors[8000]).item()


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        SegmentLoss(torch.zeros(2, 2000), 44100)
    with pytest.raises(ValueError, match="expected two"):
        published_la(torch.zeros(2, 9000), torch.zeros(2, 9001), 44100)


@pytest.mark.parametrize("song", ["leaving-tonite", "soul-foreign-plugins"])
def test_a_real_song_scores_as_defined(song: str) -> None:
    folder = SONGS / song
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    rate = probe(folder / "mix.flac").sample_rate
    target = read_audio(folder / "mix.flac")[:, : 4 * rate]
    estimate = np.zeros_like(target)
    for path in find_stems(folder / "stems"):
        estimate += stereo(read_audio(path, rate))[:, : 4 * rate]
    result = published_la(torch.from_numpy(estimate), torch.from_numpy(target), rate)
    cuts = [resample(x, rate, 30000)[:, 30000:114000] for x in (estimate, target)]
    assert result == pytest.approx(plain_la(*cuts), rel=5e-5)
