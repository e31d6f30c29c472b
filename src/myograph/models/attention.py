"""Networks whose steps look at each other (extra ``deep``)."""

from __future__ import annotations

from typing import Any

from myograph.core.errors import ParameterError
from myograph.models.base import MODELS
from myograph.models.cnn import first_kernel
from myograph.models.deep import DeepClassifier, Shape

__all__ = ["TransformerClassifier"]

_STEP_MS = 10.0
_HEADS = 4


@MODELS.register("transformer")
class TransformerClassifier(DeepClassifier):
    """Blocks of attention over steps of 10 ms, pooled by attention.

    ``model.module_.body.look(...)`` gives, beside the scores, who looked at whom in every block
    and how much each step counts in the end.

    Settings are those of `myograph.models.deep.Network`; ``width`` is 32, a multiple of its 4
    heads, ``depth`` 2 blocks.

    References
    ----------
    vaswani2017
    """

    own_depth = 2

    def _body(self, shape: Shape) -> Any:
        from myograph.models.nets.attention import Transformer

        width, depth = self._sizes()
        if width % _HEADS:
            raise ParameterError(f"width must be a multiple of {_HEADS}; got {width}.")
        stride = shape.samples(_STEP_MS)
        shape.require(4 * stride, by=f"steps of {_STEP_MS:g} ms")
        return Transformer(
            n_channels=shape.n_channels,
            n_samples=shape.n_samples,
            width=width,
            depth=depth,
            heads=_HEADS,
            n_outputs=shape.n_outputs,
            first=first_kernel(shape),
            stride=stride,
            dropout=self._dropout(),
        )
