"""Convolutional networks on images of windows, made inside the network (extra ``deep``)."""

from __future__ import annotations

from typing import Any

from myograph.models.base import MODELS
from myograph.models.deep import DeepClassifier, Shape
from myograph.signal.timefreq import log_frequencies, morlets

__all__ = ["ScalogramCNN", "SpectrogramCNN"]

# Segments of a spectrogram; a quarter of one is the distance between the starts of two.
_SEGMENT_MS = 64.0
_PER_SEGMENT = 4
_LEAST_SEGMENT = 8
# Of a scalogram.
_FREQUENCIES = 16
_TIMES = 16
_CYCLES = 4.0

#: Lowest and highest frequency of the images; they end at half the sampling rate when it is lower.
BAND_HZ = (10.0, 500.0)


class _OnImages(DeepClassifier):
    own_width = 16

    def _image(self, shape: Shape) -> Any:
        """Return the layer that makes images of standardised windows."""
        raise NotImplementedError

    def _body(self, shape: Shape) -> Any:
        from myograph.models.nets.images import ImageNet

        width, depth = self._sizes()
        return ImageNet(
            self._image(shape),
            n_channels=shape.n_channels,
            width=width,
            depth=depth,
            n_outputs=shape.n_outputs,
            dropout=self._dropout(),
        )


@MODELS.register("spectrogram-cnn")
class SpectrogramCNN(_OnImages):
    """Convolutions over frequency and time, on spectrograms of every channel.

    Segments of 64 ms (at least 8 samples, at most the window), a quarter apart, between 10 and
    500 Hz; magnitudes as logarithms. The image is a layer of the network, so a gradient reaches
    the samples.

    Settings are those of `myograph.models.deep.Network`; ``width`` is 16, doubled in the second and
    third of ``depth`` (3) blocks.

    References
    ----------
    cotealllard2019
    """

    def _image(self, shape: Shape) -> Any:
        from myograph.models.nets.images import Spectrogram

        shape.require(_LEAST_SEGMENT, by="a spectrogram")
        segment = min(max(shape.samples(_SEGMENT_MS), _LEAST_SEGMENT), shape.n_samples)
        bin_hz = shape.fs_hz / segment
        first = max(1, round(BAND_HZ[0] / bin_hz))
        stop = min(segment // 2, max(first, round(BAND_HZ[1] / bin_hz))) + 1
        return Spectrogram(
            segment=segment,
            hop=max(1, segment // _PER_SEGMENT),
            first_bin=first,
            stop_bin=stop,
        )


@MODELS.register("scalogram-cnn")
class ScalogramCNN(_OnImages):
    """Convolutions over frequency and time, on scalograms of every channel.

    Morlet wavelets of four cycles at 16 frequencies, the same share apart, from 10 Hz (from what
    fits four times into the window, where that is higher) to 500 Hz; power in 16 stretches of the
    window, as logarithms. The image is a layer of the network, so a gradient reaches the samples.

    Settings are those of `myograph.models.deep.Network`; ``width`` is 16, doubled in the second and
    third of ``depth`` (3) blocks.

    References
    ----------
    morlet1982, cotealllard2019
    """

    def _image(self, shape: Shape) -> Any:
        from myograph.models.nets.images import Scalogram

        shape.require(_TIMES, by="a scalogram")
        high_hz = min(BAND_HZ[1], shape.fs_hz / 2)
        low_hz = min(max(BAND_HZ[0], _CYCLES * shape.fs_hz / shape.n_samples), high_hz / 2)
        frequencies = tuple(log_frequencies(low_hz, high_hz, _FREQUENCIES).tolist())
        bank = morlets(shape.n_samples, shape.fs_hz, frequencies, _CYCLES)
        return Scalogram(bank, times=_TIMES)
