"""Networks on how strongly channels act together, band by band (extra ``deep``)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.models.base import MODELS
from myograph.models.deep import DeepClassifier, Shape

__all__ = ["CovarianceNet"]

_TAPS_MS = 60.0
_LEAST_TAPS = 5
_BANDS = 4
# Where the filters begin; up to this share of the sampling rate, when that is lower.
_BAND_HZ = (15.0, 450.0)
_HIGHEST = 0.45


@MODELS.register("covariance-net")
class CovarianceNet(DeepClassifier):
    """Learned filters, logarithms of the covariances of what they let through, hidden layers.

    `myograph.models.riemannian.TangentSpace` with bands that learn and a curved border: four
    filters of 60 ms, the same for all channels, that begin as bands between 15 and 450 Hz, the
    same share apart. What a shift of the electrodes or another gain does to a covariance is
    simple, and is near what it does to its logarithm.

    Settings are those of `myograph.models.deep.Network`; ``width`` (64) is that of each of
    ``depth`` (1) hidden layers.

    References
    ----------
    barachant2012, huang2017
    """

    own_width = 64
    own_depth = 1

    def _body(self, shape: Shape) -> Any:
        from myograph.models.nets.covariance import CovarianceNet as Net

        width, depth = self._sizes()
        taps = max(_LEAST_TAPS, shape.samples(_TAPS_MS)) | 1
        shape.require(taps + taps // 2, by=f"filters of {_TAPS_MS:g} ms")
        return Net(
            _filters(taps, shape.fs_hz),
            n_channels=shape.n_channels,
            width=width,
            depth=depth,
            n_outputs=shape.n_outputs,
            dropout=self._dropout(),
        )


def _filters(taps: int, fs_hz: float) -> NDArray[np.float64]:
    """Return tapered tones, each of unit power over white noise."""
    high_hz = min(_BAND_HZ[1], _HIGHEST * fs_hz)
    edges_hz = np.geomspace(min(_BAND_HZ[0], high_hz / 2), high_hz, _BANDS + 1)
    centres_hz = np.sqrt(edges_hz[:-1] * edges_hz[1:])
    moment = np.arange(taps) - taps // 2
    taper = np.cos(np.pi * moment / (taps + 1)) ** 2
    tones = taper * np.cos(2 * np.pi * centres_hz[:, None] * moment / fs_hz)
    tones -= taper * (tones.sum(axis=1) / taper.sum())[:, None]
    return tones / np.sqrt((tones**2).sum(axis=1, keepdims=True))
