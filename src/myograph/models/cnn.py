"""Convolutional networks on the samples of windows (extra ``deep``)."""

from __future__ import annotations

from typing import Any

from myograph.models.base import MODELS
from myograph.models.deep import DeepClassifier, DeepRegressor, Network, Shape

__all__ = ["CNN1D", "CNN1DRegressor"]

# Length of the first kernels, and of a step of what they give.
_FIRST_MS = 25.0
_STEP_MS = 2.5
_LATER = 5


class _CNN1D(Network):
    """Convolutions over time, see `CNN1D`."""

    def _body(self, shape: Shape) -> Any:
        from myograph.models.nets.blocks import ConvNet1d

        width, depth = self._sizes()
        stride = max(1, shape.samples(_STEP_MS))
        shape.require(stride * 2 ** (depth + 1), by=f"{depth} blocks")
        first = max(3, shape.samples(_FIRST_MS)) | 1
        return ConvNet1d(
            [shape.n_channels, *(width * 2 ** min(k, 2) for k in range(depth))],
            kernels=[first, *[_LATER] * (depth - 1)],
            stride=stride,
            n_outputs=shape.n_outputs,
            dropout=self._dropout(),
        )


@MODELS.register("cnn1d")
class CNN1D(_CNN1D, DeepClassifier):
    """Blocks of convolutions over the samples of a window.

    The first kernels span 25 ms, in steps of 2.5 ms (or single samples, where these are longer);
    between blocks the length is halved, and in the end mean and spread over time of every channel
    are weighed. ``width`` (32) is doubled in the second and third of ``depth`` (3) blocks.

    Parameters
    ----------
    **settings
        See `myograph.models.deep.Network`.

    References
    ----------
    atzori2016
    """


@MODELS.register("cnn1d-regressor")
class CNN1DRegressor(_CNN1D, DeepRegressor):
    """`CNN1D` that estimates a number, a force or an angle say.

    Parameters
    ----------
    **settings
        See `myograph.models.deep.Network`.

    References
    ----------
    atzori2016
    """
