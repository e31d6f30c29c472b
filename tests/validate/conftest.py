"""Tables of features with people, sessions and repetitions, made without any recording."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from myograph.core.layout import Channel, Layout
from myograph.core.table import FeatureTable
from myograph.core.windows import WindowIndex
from myograph.validate.answers import Answers

TIME_DOMAIN = ("mav", "zc", "ssc", "wl")


def build_index(
    *,
    people: int = 4,
    sessions: int = 1,
    trials: int = 3,
    labels: tuple[str, ...] = ("fist", "open", "rest"),
    windows: int = 5,
) -> WindowIndex:
    """One recording per person and session; each repetition shows every label in turn."""
    rows = [
        (f"p{p:02d}", str(s + 1), str(t + 1), label, (t * len(labels) + k) * 10.0 + 0.1 * w)
        for p in range(people)
        for s in range(sessions)
        for t in range(trials)
        for k, label in enumerate(labels)
        for w in range(windows)
    ]
    subject, session, trial, label, start = (list(column) for column in zip(*rows, strict=True))
    return WindowIndex.of(
        len(rows),
        subject=subject,
        session=session,
        trial=trial,
        site=[f"site {int(name[1:]) % 2}" for name in subject],
        recording=[f"{one}-{two}" for one, two in zip(subject, session, strict=True)],
        start_s=start,
        stop_s=np.array(start) + 0.2,
        label=label,
    )


def build_table(
    index: WindowIndex, *, signal: float = 2.0, seed: int = 0, n_features: int = 8
) -> FeatureTable:
    """Noise, plus a pattern of strength ``signal`` that each label has in every person."""
    random = np.random.default_rng(seed)
    values = random.standard_normal((len(index), n_features))
    if index.label.dtype.kind == "U":
        codes = np.unique(index.label, return_inverse=True)[1]
        patterns = random.standard_normal((codes.max() + 1, n_features))
        values += signal * patterns[codes]
    else:
        values += signal * index.label[:, None] * random.standard_normal(n_features)
    return table_of(values, index)


def table_of(values: np.ndarray, index: WindowIndex) -> FeatureTable:
    n_features = values.shape[1]
    names = tuple(f"emg{k // 4 + 1}.{TIME_DOMAIN[k % 4]}" for k in range(n_features))
    channels = tuple(Channel(f"emg{k + 1}", kind="semg") for k in range(-(-n_features // 4)))
    return FeatureTable(values, names, ("uV",) * n_features, index, Layout(200.0, channels))


@pytest.fixture
def make_index() -> Callable[..., WindowIndex]:
    """Make an index: people, sessions, trials, labels, windows vary."""
    return build_index


@pytest.fixture
def make_table() -> Callable[..., FeatureTable]:
    """Make a table on an index: signal, seed, n_features vary."""
    return build_table


@pytest.fixture
def as_table() -> Callable[..., FeatureTable]:
    """Make a table of given values (n_windows, n_features) on an index."""
    return table_of


PROBABLE = ("a", "b", "c")


def simulated_answers(
    n_people: int,
    *,
    windows: int = 20,
    temperature: float = 1.0,
    apart: float = 0.0,
    seed: int = 0,
) -> Answers:
    """People whose probabilities are true after the logits are divided by ``temperature``.

    ``apart`` makes people differ: some are easy, some are hardly told apart.
    """
    random = np.random.default_rng(seed)
    ease = np.exp(apart * random.standard_normal(n_people))
    people = np.repeat(np.arange(n_people), windows)
    logits = 1.5 * random.standard_normal((len(people), 3)) * ease[people, None]
    true = np.exp(logits - logits.max(axis=1, keepdims=True))
    true /= true.sum(axis=1, keepdims=True)
    truth = (true.cumsum(axis=1) < random.random((len(people), 1))).sum(axis=1)
    said = np.exp(temperature * (logits - logits.max(axis=1, keepdims=True)))
    said /= said.sum(axis=1, keepdims=True)
    names = np.array([f"p{k:04d}" for k in people])
    return Answers.of(said, np.array(PROBABLE)[np.minimum(truth, 2)], names, classes=PROBABLE)


@pytest.fixture
def simulated() -> Callable[..., Answers]:
    """Make answers of people whose true probabilities are known."""
    return simulated_answers
