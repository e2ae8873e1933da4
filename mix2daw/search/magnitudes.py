"""Levels and curves from magnitudes alone, for stems whose phases do not agree with the mix.

Chorus, another take, tape or a lossy codec leave a stem's powers as they are, but turn its phases from frame
to frame, and least squares of complex spectra find little of it. What those leave of the mix still rises and
falls with the stem: per band, the powers of the rest over time are a sum of the stems' powers, none negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch import Tensor

from mix2daw.search.least_squares import Responses, power_of, short_time_spectra

Powers = NDArray[np.float64]

ROUNDS, WEIGHT_FLOOR = 3, 0.03
HEARD = 0.02  # of all stems' power in a band: below, nothing is known of a stem there
INCOHERENT = 0.35  # share of a stem's power that filters explain: below, magnitudes take over
# Of the bands where a stem is heard, so many must be incoherent for any to count: in three songs whose phases
# agree (equalizers, compressors, reverb, echo) 0.6 and 6 bands at most, with moved phases 0.78 and more.
STEM_SHARE, STEM_BANDS = 0.7, 8


@dataclass(frozen=True)
class Magnitudes:
    """`instead` (stems, bands): where they take over from responses; `known` (stems, bands): where they are
    known; `gain_lin` (stems, bands, 2): amplitude of a stem in the mix over that in the stem, left and right;
    `band_of_bin` (bins,): the band that counts for each bin."""

    instead: Tensor
    known: Tensor
    gain_lin: Tensor
    band_of_bin: Tensor

    def stems(self) -> list[int]:
        """The stems that they are for."""
        return [int(stem) for stem in self.instead.any(1).nonzero()[:, 0]]

    def band_power(self, stem: int, coherent: Tensor) -> Tensor:
        """Power gain `(bands,)` of a stem, from the coherent one."""
        return torch.where(self.instead[stem], self.gain_lin[stem].square().mean(-1), coherent)

    def band_trust(self, stem: int, coherence: Tensor) -> Tensor:
        """How far each band of a stem counts, `(bands,)`, from what its coherence says."""
        return torch.where(self.instead[stem], self.known[stem].to(coherence.dtype), coherence)

    def level_terms(
        self, stem: int, inner: Tensor, loud: Tensor, power: Tensor, shape: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Products of a stem, equalized, with what it is in the mix `(bins, 2)` and with itself `(bins,)`;
        their ratio is its level. `power` (bins,): of the stem; `shape` (bins,): of the equalizer."""
        instead = self.instead[stem][self.band_of_bin]
        known = self.known[stem][self.band_of_bin]
        by_magnitude = (power * shape.abs() * known)[:, None] * self.gain_lin[stem][self.band_of_bin]
        return torch.where(instead[:, None], by_magnitude, inner), torch.where(instead, loud * known, loud)


def measure_magnitudes(stems: Powers, rest: Powers, responses: Responses, bands: Tensor) -> Magnitudes | None:
    """Magnitudes of the stems whose phases do not agree with the mix; None if all do.

    `stems`, `rest`: `band_powers` by these responses; `bands`: weights (bands, bins) that sum to one.
    """
    solved = [
        [power_factors(stems[:, side, band], rest[side, band]) for band in range(len(bands))]
        for side in range(2)
    ]
    power = stems.mean(-1).transpose(0, 2, 1)
    incoherent = np.array(solved).transpose(2, 1, 0) * power
    coherent = _coherent_power(responses, bands) / stems.shape[-1]
    total = coherent + incoherent
    heard = total.sum(-1) > HEARD * total.sum((0, -1))
    low = coherent.sum(-1) < INCOHERENT * total.sum(-1)
    bad = (heard & low).sum(1)
    stem_is = (bad >= STEM_BANDS) & (bad >= STEM_SHARE * heard.sum(1))
    if not stem_is.any():
        return None
    gain_lin = np.sqrt(total / np.maximum(power, np.finfo(np.float64).tiny))
    return Magnitudes(
        instead=torch.from_numpy(low & stem_is[:, None]),
        known=torch.from_numpy(heard),
        gain_lin=torch.from_numpy(gain_lin),
        band_of_bin=bands.argmax(0),
    )


def power_factors(stems: Powers, rest: Powers) -> Powers:
    """Factors (stems,), none negative, by which powers (stems, frames), and a constant, sum up to the rest's
    (frames,). A power errs by about as much as it is, so frames weigh less where the sum is large."""
    scale = stems.mean(1)
    used = scale > 1e-12 * scale.max()
    factors = np.zeros(len(stems))
    if not used.any() or not rest.any():
        return factors
    inputs = np.vstack([stems[used] / scale[used, None], np.ones_like(rest)[None]])
    expected, solved = rest, np.zeros(len(inputs))
    for _ in range(ROUNDS):
        weight = 1 / (expected + WEIGHT_FLOOR * rest.mean())
        solved = nnls((inputs * weight).T, rest * weight)[0]
        expected = solved @ inputs
    factors[used] = solved[:-1] / scale[used]
    return factors


def band_powers(
    columns: Sequence[Tensor], target: Tensor, responses: Responses, bands: Tensor
) -> tuple[Powers, Powers]:
    """Powers per band and frame: left and right of the stems (stems, 2, bands, frames), and of what the
    responses leave of the target (2, bands, frames). `columns`, `target`: what the responses are of."""
    stems, size = max(responses.owner) + 1, 2 * (bands.shape[1] - 1)
    weights = bands.float().to(target.device)
    heard, rest = [], []
    for block in short_time_spectra(torch.cat([torch.stack(list(columns)), target]), size):
        inputs = block[: len(columns)]
        left = block[len(columns) :] - responses.played(inputs)
        rest.append(torch.stack([weights @ power_of(channel) for channel in left]))
        sides = []
        for stem in range(stems):
            own = [inputs[column] for column in responses.columns(stem)]
            pair = own if len(own) == 1 else [own[0] + own[1], own[0] - own[1]]
            powers = [weights @ power_of(side) for side in pair]
            sides.append(torch.stack(powers * 2 if len(own) == 1 else powers))
        heard.append(torch.stack(sides))
    return torch.cat(heard, -1).double().cpu().numpy(), torch.cat(rest, -1).double().cpu().numpy()


def _coherent_power(responses: Responses, bands: Tensor) -> Powers:
    """Power (stems, bands, 2), left and right, that the responses make of each stem."""
    made = responses.response.abs().square() * responses.power[..., None]
    stems = [made[:, responses.columns(stem)].sum(1) for stem in range(max(responses.owner) + 1)]
    power: Powers = (bands @ torch.stack(stems).double()).numpy()
    return power
