"""Images of windows, made inside the network, and a network that looks at them.

The transforms are those of `myograph.signal.timefreq`, as layers without weights: so gradients
reach the samples, and a window needs no preparation to be answered about.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from myograph.core.optional import needs
from myograph.signal.timefreq import Morlets

torch = needs("torch", to="build a network", extra="deep")
nn = torch.nn
Module: Any = nn.Module

__all__ = ["ImageNet", "Scalogram", "Spectrogram"]

# Magnitudes are told by their logarithm above this share of a channel's deviation.
_FLOOR = 0.01


class Spectrogram(Module):
    """Logarithms of the magnitudes of Hann-tapered segments, each freed of its mean.

    Parameters
    ----------
    segment, hop : int
        In samples.
    first_bin, stop_bin : int
        Frequencies to keep, as numbers of bins.
    """

    def __init__(self, *, segment: int, hop: int, first_bin: int, stop_bin: int) -> None:
        super().__init__()
        self.segment, self.hop = segment, hop
        moment = np.arange(segment)
        taper = np.sin(np.pi * moment / segment) ** 2
        angle = 2 * np.pi * np.outer(np.arange(first_bin, stop_bin), moment) / segment
        waves = np.stack([np.cos(angle), -np.sin(angle)]) * taper * 2 / taper.sum()
        # Waves that sum to 0 over the segment do not see its mean.
        waves -= waves.mean(axis=2, keepdims=True)
        self.register_buffer("waves", torch.tensor(waves), persistent=False)

    def forward(self, windows: Any) -> Any:
        """Return images, shape (n_windows, n_channels, n_frequencies, n_times)."""
        pieces = windows.unfold(-1, self.segment, self.hop)
        real, imaginary = (
            torch.einsum("ncts,fs->ncft", pieces, wave.to(windows.dtype)) for wave in self.waves
        )
        return _log(real.square() + imaginary.square())


class Scalogram(Module):
    """Logarithms of the mean power of Morlet wavelets in equal stretches of the window.

    Parameters
    ----------
    bank : Morlets
    times : int
        Stretches.
    """

    def __init__(self, bank: Morlets, *, times: int) -> None:
        super().__init__()
        self.times = times
        self.register_buffer("spectra", torch.tensor(bank.spectra.copy()), persistent=False)

    def forward(self, windows: Any) -> Any:
        """Return images, shape (n_windows, n_channels, n_frequencies, n_times)."""
        length = windows.shape[-1]
        centred = windows - windows.mean(dim=-1, keepdim=True)
        spectrum = torch.fft.fft(centred, self.spectra.shape[1])[..., None, :]
        found = torch.fft.ifft(spectrum * self.spectra.to(windows.dtype))[..., :length]
        power = found.real.square() + found.imag.square()
        return _log(nn.functional.adaptive_avg_pool2d(power, (power.shape[2], self.times)))


class ImageNet(Module):
    """Blocks of convolutions over frequency and time on images, then means and a layer on top.

    Parameters
    ----------
    image : torch.nn.Module
        `Spectrogram` or `Scalogram`.
    n_channels, width, depth, n_outputs : int
        ``width`` is doubled in the second and third of ``depth`` blocks.
    dropout : float
    """

    def __init__(
        self,
        image: Any,
        *,
        n_channels: int,
        width: int,
        depth: int,
        n_outputs: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.image = image
        self.level = nn.BatchNorm2d(n_channels)
        inputs, blocks = n_channels, []
        for k in range(depth):
            outputs = width * 2 ** min(k, 2)
            blocks.append(
                nn.Sequential(
                    nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
                    nn.BatchNorm2d(outputs),
                    nn.ELU(),
                )
            )
            if k < depth - 1:
                blocks.append(nn.MaxPool2d(2, ceil_mode=True))
            inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(inputs, n_outputs)

    @property
    def last_convolution(self) -> Any:
        """The convolution of the last block, over frequency and time."""
        return self.blocks[-1][0]

    def forward(self, windows: Any) -> Any:
        """Return scores, shape (n_windows, n_outputs)."""
        found = self.blocks(self.level(self.image(windows)))
        return self.head(self.dropout(found.mean(dim=(-2, -1))))


def _log(power: Any) -> Any:
    return 0.5 * torch.log(power + _FLOOR**2)
