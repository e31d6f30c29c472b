"""Convolutional networks on the samples of windows (extra ``deep``)."""

from __future__ import annotations

from typing import Any

from myograph.core.errors import ParameterError
from myograph.models.base import MODELS
from myograph.models.deep import DeepClassifier, DeepRegressor, Network, Shape

__all__ = [
    "CNN1D",
    "TCN",
    "CNN1DRegressor",
    "RingCNN",
    "RingCNNRegressor",
    "SeparableCNN",
    "TCNRegressor",
]

# Length of the first kernels, and of a step of what they give.
_FIRST_MS = 25.0
_STEP_MS = 2.5
_DEVICE_STEP_MS = 5.0
_RING_MS = 65.0
_RING_FILTERS = 12
_LATER = 5
_CAUSAL = 3


def first_kernel(shape: Shape) -> int:
    """Return the length of first kernels, in samples: odd, so that they have a middle."""
    return max(3, shape.samples(_FIRST_MS)) | 1


class _CNN1D(Network):
    """Convolutions over time, see `CNN1D`."""

    def _body(self, shape: Shape) -> Any:
        from myograph.models.nets.blocks import ConvNet1d

        width, depth = self._sizes()
        stride = shape.samples(_STEP_MS)
        shape.require(stride * 2 ** (depth + 1), by=f"{depth} blocks")
        return ConvNet1d(
            [shape.n_channels, *(width * 2 ** min(k, 2) for k in range(depth))],
            kernels=[first_kernel(shape), *[_LATER] * (depth - 1)],
            stride=stride,
            n_outputs=shape.n_outputs,
            dropout=self._dropout(),
        )


class _TCN(Network):
    """Dilated convolutions over time, see `TCN`."""

    own_depth = 4

    def _body(self, shape: Shape) -> Any:
        from myograph.models.nets.blocks import TemporalNet

        width, depth = self._sizes()
        stride = shape.samples(_STEP_MS)
        shape.require(stride * 2**depth, by=f"{depth} blocks")
        return TemporalNet(
            n_channels=shape.n_channels,
            width=width,
            depth=depth,
            n_outputs=shape.n_outputs,
            first=first_kernel(shape),
            stride=stride,
            kernel=_CAUSAL,
            dropout=self._dropout(),
        )


@MODELS.register("cnn1d")
class CNN1D(_CNN1D, DeepClassifier):
    """Blocks of convolutions over the samples of a window.

    The first kernels span 25 ms, in steps of 2.5 ms (or single samples, where these are longer);
    between blocks the length is halved, and in the end mean and spread over time of every channel
    are weighed. ``width`` (32) is doubled in the second and third of ``depth`` (3) blocks.

    Settings are those of `myograph.models.deep.Network`.

    References
    ----------
    atzori2016
    """


@MODELS.register("cnn1d-regressor")
class CNN1DRegressor(_CNN1D, DeepRegressor):
    """`CNN1D` that estimates a number, a force or an angle say.

    Settings are those of `myograph.models.deep.Network`.

    References
    ----------
    atzori2016
    """


@MODELS.register("tcn")
class TCN(_TCN, DeepClassifier):
    """Residual blocks of causal convolutions over time, each twice as dilated as the one before.

    Settings are those of `myograph.models.deep.Network`; ``width`` is 32, ``depth`` 4 blocks.

    References
    ----------
    bai2018
    """


@MODELS.register("tcn-regressor")
class TCNRegressor(_TCN, DeepRegressor):
    """`TCN` that estimates a number, a force or an angle say.

    Settings are those of `myograph.models.deep.Network`.

    References
    ----------
    bai2018
    """


@MODELS.register("separable")
class SeparableCNN(DeepClassifier):
    """Depthwise-separable convolutions: some thousand weights, for small devices.

    In the first layer each channel has four filters of its own, over 25 ms in steps of 5 ms;
    mixtures of what they find are filtered and mixed again, in half as many steps each time.

    Settings are those of `myograph.models.deep.Network`; ``width`` is 24, ``depth`` 3.

    References
    ----------
    chollet2017
    """

    own_width = 24

    def _body(self, shape: Shape) -> Any:
        from myograph.models.nets.blocks import Separable

        width, depth = self._sizes()
        stride = shape.samples(_DEVICE_STEP_MS)
        shape.require(stride * 2**depth, by=f"{depth} blocks")
        return Separable(
            n_channels=shape.n_channels,
            width=width,
            depth=depth,
            n_outputs=shape.n_outputs,
            filters=4,
            first=first_kernel(shape),
            stride=stride,
            kernel=_LATER,
            dropout=self._dropout(),
        )


class _RingCNN(Network):
    """Energies around a ring of electrodes, see `RingCNN`."""

    own_depth = 1

    def _body(self, shape: Shape) -> Any:
        from myograph.models.nets.ring import RingNet

        width, depth = self._sizes()
        if depth != 1:
            raise ParameterError(f"{type(self).__name__} has a depth of 1; got {depth}.")
        shape.require(first_kernel(shape), by="the energy of a window")
        kernel = min(shape.samples(_RING_MS), shape.n_samples) | 1
        return RingNet(
            n_channels=shape.n_channels,
            filters=_RING_FILTERS,
            kernel=kernel,
            width=width,
            n_outputs=shape.n_outputs,
            dropout=self._dropout(),
        )


@MODELS.register("ring-cnn")
class RingCNN(_RingCNN, DeepClassifier):
    """Energies of learned filters, and of mixtures of neighbours, around a ring of electrodes.

    Twelve filters of 65 ms over time, the same for every channel, ``width`` (32) mixtures of each
    channel with the two beside it, and the logarithm of the mean square of each: the energies that
    covariances in bands hold, learned. The channels are taken in their order around the limb, the
    last beside the first. ``turn`` (see `myograph.models.deep.Network`) teaches it that no two
    people wear a band alike.

    Settings are those of `myograph.models.deep.Network`; ``depth`` is 1.

    References
    ----------
    schirrmeister2017
    """


@MODELS.register("ring-cnn-regressor")
class RingCNNRegressor(_RingCNN, DeepRegressor):
    """`RingCNN` that estimates a number, a force or an angle say.

    Settings are those of `myograph.models.deep.Network`; ``depth`` is 1.

    References
    ----------
    schirrmeister2017
    """
