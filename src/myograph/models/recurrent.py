"""Networks that go through a window step by step and remember (extra ``deep``)."""

from __future__ import annotations

from typing import Any

from myograph.models.base import MODELS
from myograph.models.cnn import first_kernel
from myograph.models.deep import DeepClassifier, DeepRegressor, Network, Shape

__all__ = ["CNNLSTM", "GRU", "LSTM", "FeatureLSTM", "LSTMRegressor"]

# A step of samples, a step of convolutions (halved by the second), a stretch to measure.
_STEP_MS = 10.0
_CONV_STEP_MS = 5.0
_STRETCH_MS = 50.0
_LEAST_STRETCH = 6


class _Recurrent(Network):
    """A memory over steps; subclasses say which steps and which memory."""

    own_width = 48
    own_depth = 1
    cell = "lstm"

    def _steps(self, shape: Shape, width: int) -> Any:
        from myograph.models.nets.recurrent import SampleSteps

        stretch = shape.samples(_STEP_MS)
        shape.require(2 * stretch, by=f"steps of {_STEP_MS:g} ms")
        return SampleSteps(n_channels=shape.n_channels, stretch=stretch, size=width)

    def _body(self, shape: Shape) -> Any:
        from myograph.models.nets.recurrent import Recurrent

        width, depth = self._sizes()
        return Recurrent(
            self._steps(shape, width),
            cell=self.cell,
            width=width,
            depth=depth,
            n_outputs=shape.n_outputs,
            dropout=self._dropout(),
        )


@MODELS.register("lstm")
class LSTM(_Recurrent, DeepClassifier):
    """Long short-term memory over stretches of 10 ms of the samples.

    Settings are those of `myograph.models.deep.Network`; ``width`` (48) is that of the memory,
    ``depth`` (1) how many lie on top of each other.

    References
    ----------
    hochreiter1997
    """


@MODELS.register("lstm-regressor")
class LSTMRegressor(_Recurrent, DeepRegressor):
    """`LSTM` that estimates a number, a force or an angle say.

    Settings are those of `myograph.models.deep.Network`.

    References
    ----------
    hochreiter1997
    """


@MODELS.register("gru")
class GRU(_Recurrent, DeepClassifier):
    """Gated recurrent units over stretches of 10 ms of the samples.

    Settings are those of `myograph.models.deep.Network`; ``width`` (48) is that of the memory,
    ``depth`` (1) how many lie on top of each other.

    References
    ----------
    cho2014
    """

    cell = "gru"


@MODELS.register("lstm-features")
class FeatureLSTM(_Recurrent, DeepClassifier):
    """Long short-term memory over features of stretches inside the window.

    A window is answered about by itself, live as offline, so the sequence lies inside it: seven
    time-domain features of every channel in stretches of 50 ms that overlap by half. Longer
    windows give it more to remember.

    Settings are those of `myograph.models.deep.Network`; ``width`` (48) is that of the memory,
    ``depth`` (1) how many lie on top of each other.

    References
    ----------
    hochreiter1997, hudgins1993
    """

    def _steps(self, shape: Shape, width: int) -> Any:
        from myograph.models.nets.recurrent import FeatureSteps

        del width
        stretch = max(_LEAST_STRETCH, shape.samples(_STRETCH_MS))
        shape.require(stretch + stretch // 2, by=f"two stretches of {_STRETCH_MS:g} ms")
        return FeatureSteps(n_channels=shape.n_channels, stretch=stretch)


@MODELS.register("cnn-lstm")
class CNNLSTM(_Recurrent, DeepClassifier):
    """Two strided convolutions over time, and long short-term memory over what they give.

    Settings are those of `myograph.models.deep.Network`; ``width`` (48) is that of convolutions and
    memory, ``depth`` (1) how many memories lie on top of each other.

    References
    ----------
    hochreiter1997, atzori2016
    """

    def _steps(self, shape: Shape, width: int) -> Any:
        from myograph.models.nets.recurrent import ConvSteps

        stride = shape.samples(_CONV_STEP_MS)
        shape.require(4 * stride, by=f"steps of {2 * _CONV_STEP_MS:g} ms")
        return ConvSteps(
            n_channels=shape.n_channels, size=width, first=first_kernel(shape), stride=stride
        )
