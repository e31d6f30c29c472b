"""Attribution inside networks: integrated gradients, Grad-CAM, attention roll-out.

Networks take windows of physical samples, whatever they make of them inside, so every way ends on
the signal. Integrated gradients can be told by moment and by band alike: the gradient along the
way is multiplied with the part of the signal that lies in a span or a band, and the parts sum to
the same whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.core.errors import ParameterError
from myograph.core.optional import needs
from myograph.explain.explanation import Attribution, Heat
from myograph.explain.parts import band_name
from myograph.explain.question import Question

__all__ = [
    "ImageShares",
    "attention_rollout",
    "band_gradients",
    "grad_cam",
    "has_gradients",
    "image_gradients",
    "integrated_gradients",
    "rolled_out",
]

Array = NDArray[np.float64]

_STEPS = 64
# Windows whose gradients are taken at once.
_AT_ONCE = 64


def has_gradients(question: Question) -> bool:
    """Say whether the model is a network whose gradients can be taken."""
    return getattr(question.model, "module_", None) is not None


def integrated_gradients(question: Question, edges_s: Array, *, n_steps: int = _STEPS) -> Heat:
    r"""Follow the gradient from silence to the signal, and share out what it gathers.

    A sample :math:`x_i` gets :math:`(x_i - z_i)\int_0^1 \partial F / \partial x_i\,d\alpha` along
    the straight way from silence :math:`z` (each channel's median) to the signal. All samples sum
    to :math:`F(x) - F(z)` up to the error of the integral: that is checked, and told as the gap.

    Parameters
    ----------
    question : Question
        Of a network.
    edges_s : ndarray, shape (n_spans + 1,)
        Spans to sum over.
    n_steps : int
        Points of the integral (Gauss and Legendre).

    Returns
    -------
    Heat
        In the unit of the network's scores: log-odds.

    Raises
    ------
    ParameterError
        If the model is not a network.

    References
    ----------
    sundararajan2017
    """
    gradients, windows, silence = _gathered(question, n_steps)
    base, total = _ends(question, windows, silence)
    shares = gradients * (windows - silence)
    values = _by_span(question, shares, edges_s)
    return Heat(
        "integrated-gradients",
        question.layout.names,
        edges_s,
        values,
        question.unit,
        base=base,
        total=total,
        note=f"Gradients gathered from silence to the signal, {n_steps} steps.",
    )


def band_gradients(
    question: Question, bands: Sequence[tuple[float, float]], *, n_steps: int = _STEPS
) -> Attribution:
    """Share out integrated gradients by band of frequency; takes what `integrated_gradients` does.

    Parameters
    ----------
    question : Question
    bands : sequence of (low_hz, high_hz)
        See `myograph.explain.parts.bands_of`.
    n_steps : int
    """
    gradients, windows, silence = _gathered(question, n_steps)
    base, total = _ends(question, windows, silence)
    n_samples = windows.shape[2]
    spectrum = np.fft.rfft(windows - silence, axis=2)
    frequency_hz = np.fft.rfftfreq(n_samples, 1 / question.layout.fs_hz)
    lows = np.array([low for low, _ in bands])
    owner = np.searchsorted(lows, frequency_hz, side="right") - 1
    values = np.empty(len(bands))
    for k in range(len(bands)):
        part = np.fft.irfft(np.where(owner == k, spectrum, 0), n=n_samples, axis=2)
        values[k] = (gradients * part).sum() / len(windows)
    return Attribution(
        "integrated-gradients",
        "band",
        tuple(band_name(*band) for band in bands),
        values,
        question.unit,
        base=base,
        total=total,
        note=f"Gradients gathered from silence to the signal, {n_steps} steps, by band.",
    )


@dataclass(frozen=True, eq=False)
class ImageShares:
    """Integrated gradients on the images that a network makes of windows.

    Parameters
    ----------
    values : ndarray, shape (n_channels, n_frequencies, n_times)
        Mean over the windows.
    base, total : float
        Evidence of the image of silence, and of the images: the values sum to the difference.
    """

    values: Array
    base: float
    total: float

    @property
    def gap(self) -> float:
        """How far the values miss the sum they should have."""
        return float(self.values.sum() - (self.total - self.base))


def image_gradients(question: Question, *, n_steps: int = _STEPS) -> ImageShares:
    """Share the evidence out over the time-frequency images that a network looks at.

    Parameters
    ----------
    question : Question
        Of a network that makes images (``spectrogram-cnn``, ``scalogram-cnn``).
    n_steps : int
        Points of the integral.

    Raises
    ------
    ParameterError
        If the model is not such a network.
    """
    torch, model = _network(question)
    layer = getattr(model.module_.body, "image", None)
    if layer is None:
        raise ParameterError(
            f"{type(model).__name__} makes no images; use integrated_gradients, on the signal."
        )
    windows = _whole(question)
    silence = np.broadcast_to(np.median(windows, axis=(0, 2))[:, None], windows.shape)
    frame = model.module_
    with torch.no_grad():
        ends = [
            layer((model.input_of(each) - frame.centre) / frame.spread)
            for each in (silence, windows)
        ]
    between: list[Any] = []
    hook = layer.register_forward_hook(lambda *_: between[-1])
    places, weights = np.polynomial.legendre.leggauss(check_count(n_steps, name="n_steps", least=2))
    gathered = torch.zeros_like(ends[0])
    try:
        for place, weight in zip((places + 1) / 2, weights / 2, strict=True):
            between.append((ends[0] + place * (ends[1] - ends[0])).requires_grad_())
            score = _score(question, frame(model.input_of(windows)))
            gathered += weight * torch.autograd.grad(score.sum(), between[-1])[0]
    finally:
        hook.remove()
    base, total = _ends(question, windows, np.asarray(silence))
    shares = gathered * (ends[1] - ends[0])
    return ImageShares(np.asarray(shares.mean(dim=0)), base, total)


def grad_cam(question: Question, edges_s: Array) -> Heat:
    r"""Show when the last convolution saw what speaks for the class.

    Its maps :math:`A_k` are weighed by the mean gradient of the evidence to them,
    :math:`\max(0, \sum_k \bar g_k A_k)`, and stretched back over the window. It says when, not in
    which channel, and promises no sum.

    Parameters
    ----------
    question : Question
        Of a network with a convolution.
    edges_s : ndarray, shape (n_spans + 1,)

    Raises
    ------
    ParameterError
        If the model is not a network, or has no convolution.

    References
    ----------
    selvaraju2017
    """
    torch, model = _network(question)
    layer = model.module_.last_convolution
    if layer is None:
        raise ParameterError(
            f"{type(model).__name__} has no convolution to look at; use method "
            "'integrated-gradients'."
        )
    maps = []
    for windows in _blocks(model.input_of(_whole(question))):
        kept: list[Any] = []
        hook = layer.register_forward_hook(lambda _m, _i, out, kept=kept: kept.append(out))
        try:
            score = _score(question, model.module_(windows.requires_grad_()))
        finally:
            hook.remove()
        (gradient,) = torch.autograd.grad(score.sum(), kept[0])
        rest = tuple(range(2, gradient.ndim))
        weights = gradient.mean(dim=rest, keepdim=True)
        cam = (weights * kept[0]).sum(dim=1).clamp(min=0)
        if cam.ndim > 2:  # frequency and time: told over time
            cam = cam.mean(dim=tuple(range(1, cam.ndim - 1)))
        maps.append(cam.detach().numpy())
    over_time = _stretched(np.concatenate(maps), question.windows.values.shape[2])
    n_channels = question.layout.n_channels
    shares = np.repeat(over_time[:, None], n_channels, axis=1) / n_channels
    return Heat(
        "grad-cam",
        question.layout.names,
        edges_s,
        _by_span(question, shares, edges_s),
        "relevance",
        note="What the last convolution saw, weighed by its gradients: it says when, not where.",
        where=False,
    )


def attention_rollout(question: Question, edges_s: Array) -> Heat:
    """Show which moments a transformer attends to, through all of its layers.

    Parameters
    ----------
    question : Question
        Of a network that keeps its attention.
    edges_s : ndarray, shape (n_spans + 1,)

    Raises
    ------
    ParameterError
        If the model is not a network, or attends to nothing.

    References
    ----------
    abnar2020
    """
    torch, model = _network(question)
    look = getattr(model.module_.body, "look", None)
    if look is None:
        raise ParameterError(
            f"{type(model).__name__} has no attention to look at; use method "
            "'integrated-gradients'."
        )
    found = []
    with torch.no_grad():
        for windows in _blocks(model.input_of(_whole(question))):
            frame = model.module_
            _, maps, pooling = look((windows - frame.centre) / frame.spread)
            found.append(rolled_out([each.numpy() for each in maps], pooling.numpy()))
    over_time = _stretched(np.concatenate(found), question.windows.values.shape[2])
    over_time /= over_time.sum(axis=1, keepdims=True)
    n_channels = question.layout.n_channels
    shares = np.repeat(over_time[:, None], n_channels, axis=1) / n_channels
    return Heat(
        "attention",
        question.layout.names,
        edges_s,
        _by_span(question, shares, edges_s),
        "share of attention",
        note="Attention through all layers: it says when, not where, and not for which class.",
        where=False,
    )


def rolled_out(layers: Sequence[Array], pooling: Array | None = None) -> Array:
    r"""Follow attention through layers: the product of :math:`(A + I)/2`, heads averaged.

    Parameters
    ----------
    layers : sequence of ndarray, shape (n, n_heads, n_tokens, n_tokens)
        Rows sum to 1.
    pooling : ndarray, shape (n, n_tokens), optional
        How the last layer's tokens are weighed; all alike without.

    Returns
    -------
    ndarray, shape (n, n_tokens)
        How much each token of the input is attended to; rows sum to 1.

    Examples
    --------
    >>> rolled_out([np.array([[[[0.0, 1.0], [0.0, 1.0]]]])]).tolist()
    [[0.25, 0.75]]
    """
    n, _, n_tokens, _ = layers[0].shape
    through = np.broadcast_to(np.eye(n_tokens), (n, n_tokens, n_tokens))
    for layer in layers:
        through = (layer.mean(axis=1) + np.eye(n_tokens)) / 2 @ through
    weights = np.full((n, n_tokens), 1 / n_tokens) if pooling is None else pooling
    return np.einsum("nt,nts->ns", weights, through)


def _gathered(question: Question, n_steps: int) -> tuple[Array, Array, Array]:
    """Return gradients averaged along the way, windows, and silence."""
    torch, model = _network(question)
    check_count(n_steps, name="n_steps", least=2)
    places, weights = np.polynomial.legendre.leggauss(n_steps)
    windows = _whole(question)
    silence = np.broadcast_to(np.median(windows, axis=(0, 2))[:, None], windows.shape)
    gradients = np.zeros_like(windows)
    for first in range(0, len(windows), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        for place, weight in zip((places + 1) / 2, weights / 2, strict=True):
            between = model.input_of(silence[part] + place * (windows[part] - silence[part]))
            between.requires_grad_()
            score = _score(question, model.module_(between))
            (gradient,) = torch.autograd.grad(score.sum(), between)
            gradients[part] += weight * gradient.numpy()
    return gradients, windows, np.asarray(silence)


def _ends(question: Question, windows: Array, silence: Array) -> tuple[float, float]:
    torch, model = _network(question)
    with torch.no_grad():
        first, last = (
            float(_score(question, model.module_(model.input_of(each))).mean())
            for each in (silence[:1], windows)
        )
    return first, last


def _network(question: Question) -> tuple[Any, Any]:
    model = question.model
    if not has_gradients(question):
        raise ParameterError(
            f"{type(model).__name__} is not a network, so it has no gradients to follow; use "
            "method 'occlusion', which asks any model."
        )
    return needs("torch", to="follow the gradients of a network", extra="deep"), model


def _score(question: Question, outputs: Any) -> Any:
    """Return the evidence of each window from the network's scores."""
    if not question.target:
        return outputs[:, 0]
    classes = question.classes
    target, against = classes.index(question.target), classes.index(question.against)
    return outputs[:, target] - outputs[:, against]


def _whole(question: Question) -> Array:
    return np.asarray(question.windows.values, dtype=np.float64)


def _blocks(tensor: Any) -> Any:
    return tensor.split(_AT_ONCE)


def _stretched(values: Array, n_samples: int) -> Array:
    """Stretch values over time (n, n_steps) to every sample."""
    steps = (np.arange(values.shape[1]) + 0.5) / values.shape[1]
    places = (np.arange(n_samples) + 0.5) / n_samples
    return np.stack([np.interp(places, steps, row) for row in values])


def _by_span(question: Question, shares: Array, edges_s: Array) -> Array:
    """Sum shares of samples (n_windows, n_channels, n_samples) over spans, mean over windows."""
    n_windows, n_channels, n_samples = shares.shape
    fs_hz = question.layout.fs_hz
    start_s = question.windows.index.start_s
    times = start_s[:, None] + (np.arange(n_samples) + 0.25) / fs_hz
    span = np.clip(np.searchsorted(edges_s, times, side="right") - 1, 0, len(edges_s) - 2)
    found = np.zeros((n_channels, len(edges_s) - 1))
    for channel in range(n_channels):
        np.add.at(found[channel], span, shares[:, channel])
    return found / n_windows
