"""How a network learned: loss and score by epoch, as a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myograph.report.svg import BLUE, GREEN, GREY, ORANGE, content, drawing

__all__ = ["training_picture"]


def training_picture(curve: NDArray[np.float64], *, suffix: str, epochs: int = 0) -> bytes:
    """Draw the curve of a training, finished or not.

    Parameters
    ----------
    curve : ndarray, shape (n_epochs, 4)
        See `myograph.models.training.Taught`.
    suffix : str
        ``".png"`` or ``".svg"``.
    epochs : int
        The most there can be: how far the axis reaches while the training goes on.

    Returns
    -------
    bytes
        The content of the file.
    """
    epoch = np.arange(1, len(curve) + 1)
    loss, held_out, score = curve[:, 0], curve[:, 1], curve[:, 2]
    with drawing("training", width_in=7.2, height_in=3.4) as figure:
        left, right = figure.subplots(1, 2)
        left.plot(epoch, loss, color=GREY, label="learned from")
        right.plot(epoch, score, color=GREEN)
        if np.isfinite(held_out).any():
            best = int(np.nanargmin(held_out))
            left.plot(epoch, held_out, color=BLUE, label="held out")
            for axes, values in ((left, held_out), (right, score)):
                axes.axvline(epoch[best], color=ORANGE, linewidth=1.0, linestyle=(0, (4, 3)))
                axes.plot(epoch[best], values[best], "o", color=ORANGE, markersize=5)
            right.set_title(f"score held out; kept: epoch {epoch[best]}, {score[best]:.3f}")
        else:
            right.set_title("nothing was held out")
        left.legend(loc="upper right")
        left.set_title("loss")
        for axes in (left, right):
            axes.set_xlabel("epoch")
            axes.set_xlim(0.5, max(len(curve), epochs) + 0.5)
            axes.grid(axis="y")
        return content(figure, suffix)
