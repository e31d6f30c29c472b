"""Growing a forest on binned values, compiled: the same trees' idea, many times sooner.

Every feature is cut once into at most 256 bins with equally many training rows. A node then counts
its rows by bin and class in one pass, where an exact search sorts them anew for every feature.
Where a feature has at most 256 different values nothing is lost; otherwise a threshold can only lie
between two bins. All else is as Breiman's forests have it: rows drawn with replacement for each
tree, some features drawn for each node, the split with the purest sides, trees to the last row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from myograph.models.trees import GrownTree

__all__ = ["Binned", "Growth", "grow_forest"]

#: A bin's number fits one byte.
N_BINS = 256
#: Up to so many rows are put in order rather than counted by bin and class,
_SOME = 150
#: and up to so many by inserting one after the other.
_FEW = 20

#: Bins of the rows of a tree, how often each was drawn, and their classes.
Bag = tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.int32]]
Floats = NDArray[np.float64]
#: Where a node counts: by feature, bin and class; the classes left of a cut; rows in order; bins.
Room = tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Binned:
    """A table cut into bins.

    Parameters
    ----------
    codes : ndarray of uint8, shape (n_rows, n_features)
        Bin of each value.
    edges : tuple of ndarray
        Thresholds of each feature, ascending: bin k holds what is above edge k - 1 and at most
        edge k.
    """

    codes: NDArray[np.uint8]
    edges: tuple[NDArray[np.float64], ...]

    @classmethod
    def of(cls, rows: NDArray[np.float64], *, n_bins: int = N_BINS) -> Binned:
        """Cut the columns of ``rows`` (n_rows, n_features), each into at most ``n_bins``.

        Examples
        --------
        >>> cut = Binned.of(np.array([[1.0], [4.0], [2.0], [1.0]]))
        >>> cut.codes.tolist(), cut.edges[0].tolist()
        ([[0], [2], [1], [0]], [1.5, 3.0])
        """
        columns = np.ascontiguousarray(rows.T, dtype=np.float32)
        edges = tuple(_edges(column, n_bins) for column in columns)
        codes = np.empty(rows.shape, dtype=np.uint8)
        for k, cuts in enumerate(edges):
            codes[:, k] = np.searchsorted(cuts, columns[k])
        return cls(codes, edges)


@dataclass(frozen=True, slots=True)
class Growth:
    """How trees grow.

    Parameters
    ----------
    n_trees : int
    min_leaf : int
        Fewest rows in a leaf, each counted as often as it was drawn.
    n_tried : int
        Features drawn at each node.
    seed : int
    """

    n_trees: int
    min_leaf: int
    n_tried: int
    seed: int


def grow_forest(
    rows: NDArray[np.float64], codes: NDArray[np.intp], growth: Growth
) -> list[GrownTree]:
    """Grow trees that tell classes apart.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, n_features)
        Taken in single precision.
    codes : ndarray of int, shape (n_rows,)
        Class of each row, from 0.
    growth : Growth

    Returns
    -------
    list of GrownTree
        Their values count the training rows of each class, repetitions included.

    References
    ----------
    breiman2001
    """
    binned = Binned.of(rows)
    n_classes = int(codes.max()) + 1
    lengths = np.array([len(edges) for edges in binned.edges])
    table = np.zeros((len(lengths), max(1, int(lengths.max()))))
    for k, edges in enumerate(binned.edges):
        table[k, : len(edges)] = edges
    seeds = np.random.SeedSequence(growth.seed).generate_state(growth.n_trees, np.uint64)
    targets = codes.astype(np.int32)
    shift = n_classes.bit_length()
    rules = (growth.min_leaf, min(growth.n_tried, len(lengths)), n_classes, shift)
    # One part of each number of rows: multiplying is many times quicker than dividing.
    parts = 1 / np.maximum(np.arange(len(rows) + 1), 1)
    # Whole words of eight bins, so that a row moves in a few steps.
    places = np.zeros((len(rows), -(-len(lengths) // 8) * 8), dtype=np.uint8)
    places[:, : len(lengths)] = binned.codes
    return [GrownTree(*_grow(places, targets, table, parts, rules, seed)) for seed in seeds]


def _edges(column: NDArray[np.float32], n_bins: int) -> NDArray[np.float64]:
    values = np.sort(column)
    above = np.flatnonzero(values[1:] > values[:-1]) + 1
    if len(above) >= n_bins:
        # The first change of value at or after each of the equal shares.
        shares = np.arange(1, n_bins) * len(values) // n_bins
        at = np.searchsorted(above, shares)
        above = np.unique(above[at[at < len(above)]])
    low, high = values[above - 1].astype(np.float64), values[above].astype(np.float64)
    return low + (high - low) / 2


@numba.njit(cache=True, nogil=True, inline="always")
def _draw(state: NDArray[np.uint64], below: int) -> int:
    """Return a number from 0 to below - 1; splitmix64 (public domain, Vigna)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return int((z >> np.uint64(32)) * np.uint64(below) >> np.uint64(32))


@numba.njit(cache=True, nogil=True)
def _bag(table: NDArray[np.uint8], targets: NDArray[np.int32], state: NDArray[np.uint64]) -> Bag:
    """Draw rows with replacement: the rows, how often each was drawn, and their classes."""
    n = len(targets)
    counts = np.zeros(n, dtype=np.int32)
    for _ in range(n):
        counts[_draw(state, n)] += 1
    n_kept = 0
    for k in range(n):
        n_kept += counts[k] > 0
    rows = np.empty((n_kept, table.shape[1]), dtype=np.uint8)
    weights = np.empty(n_kept, dtype=np.int32)
    labels = np.empty(n_kept, dtype=np.int32)
    at = 0
    for k in range(n):
        if counts[k] > 0:
            rows[at], weights[at], labels[at] = table[k], counts[k], targets[k]
            at += 1
    return rows, weights, labels


@numba.njit(cache=True, nogil=True)
def _count(
    bag: Bag,
    span: tuple[int, int],
    tried: NDArray[np.uint64],
    shift: int,
    counts: NDArray[np.int32],
) -> None:
    """Count the rows of a node by bin and class, for all features that are tried, in one pass.

    One row after the other: what is added for one feature need not wait for the next. All places
    are unsigned, so that nothing has to ask whether they count from the end.
    """
    rows, weights, labels = bag
    one, n_tried, shift_ = np.uint64(1), np.uint64(len(tried)), np.uint64(shift)
    last = np.uint64(counts.shape[2]) - one
    flat, width = counts.reshape(-1), np.uint64(counts.shape[1] * counts.shape[2])
    for i in range(np.uint64(span[0]), np.uint64(span[1])):
        label, weight = np.uint64(labels[i]), weights[i]
        for j in range(n_tried):
            at = j * width + (np.uint64(rows[i, tried[j]]) << shift_)
            flat[at + label] += weight
            flat[at + last] = 1


@numba.njit(cache=True, nogil=True)
def _best_cut(
    counts: NDArray[np.int32], total: NDArray[np.int64], min_leaf: int, room: Room
) -> tuple[float, int, bool]:
    """Return the purity of the best cut of one feature, its edge, and whether it varies.

    What was counted is set back to nothing on the way.
    """
    left, part = room[1], room[4]
    n_classes, weight, seen, pending = len(total), 0, 0, -1
    weight_left = np.int64(0)
    square_left, square_right = np.int64(0), np.int64(0)
    for k in range(n_classes):
        left[k] = 0
        weight += total[k]
        square_right += total[k] * total[k]
    best, edge, waiting = -1.0, -1, -1.0
    for bin_ in range(len(counts)):
        here = counts[bin_]
        if here[-1] == 0:
            continue
        here[-1] = 0
        seen += 1
        if waiting > best:  # the cut after the bin before this one: half-way between the two
            best, edge = waiting, (pending + bin_ - 1) // 2
        for k in range(n_classes):
            c = np.int64(here[k])
            if c:
                here[k] = 0
                square_left += c * (2 * left[k] + c)
                square_right += c * (c - 2 * (total[k] - left[k]))
                left[k] += c
                weight_left += c
        waiting, pending = -1.0, bin_
        weight_right = weight - weight_left
        if weight_left >= min_leaf and weight_right >= min_leaf:
            waiting = square_left * part[weight_left] + square_right * part[weight_right]
    return best, edge, seen > 1


@numba.njit(cache=True, nogil=True)
def _in_order(bag: Bag, span: tuple[int, int], feature: np.uint64, room: Room) -> None:
    """Write the rows of a node into ``keys`` in the order of their bins: bin, and place in node."""
    rows, keys, begins = bag[0], room[2], room[3]
    start, n = span[0], span[1] - span[0]
    if n <= _FEW:
        for i in range(n):  # each inserted where it belongs
            key = (np.int64(rows[start + i, feature]) << 16) | i
            at = i
            while at > 0 and keys[at - 1] > key:
                keys[at] = keys[at - 1]
                at -= 1
            keys[at] = key
        return
    begins[:] = 0
    for i in range(n):
        begins[rows[start + i, feature]] += 1
    before = 0
    for bin_ in range(len(begins)):
        before, begins[bin_] = before + begins[bin_], before
    for i in range(n):
        own = np.int64(rows[start + i, feature])
        keys[begins[own]] = (own << 16) | i
        begins[own] += 1


@numba.njit(cache=True, nogil=True)
def _best_cut_in_order(
    bag: Bag, span: tuple[int, int], total: NDArray[np.int64], min_leaf: int, room: Room
) -> tuple[float, int, bool]:
    """Do what `_best_cut` does, row by row, for rows that were put in order."""
    weights, labels, left, keys, part = bag[1], bag[2], room[1], room[2], room[4]
    start, n = span[0], span[1] - span[0]
    best, edge = -1.0, -1
    if keys[0] >> 16 == keys[n - 1] >> 16:
        return best, edge, False
    weight, weight_left = 0, np.int64(0)
    square_left, square_right = np.int64(0), np.int64(0)
    for k in range(len(total)):
        left[k] = 0
        weight += total[k]
        square_right += total[k] * total[k]
    for i in range(n - 1):
        at = start + (keys[i] & 0xFFFF)
        k, c = labels[at], np.int64(weights[at])
        square_left += c * (2 * left[k] + c)
        square_right += c * (c - 2 * (total[k] - left[k]))
        left[k] += c
        weight_left += c
        here, after = keys[i] >> 16, keys[i + 1] >> 16
        weight_right = weight - weight_left
        if here != after and weight_left >= min_leaf and weight_right >= min_leaf:
            purity = square_left * part[weight_left] + square_right * part[weight_right]
            if purity > best:
                best, edge = purity, (here + after - 1) // 2
    return best, edge, True


@numba.njit(cache=True, nogil=True)
def _part(bag: Bag, words: NDArray[np.uint64], span: tuple[int, int], cut: tuple[Any, int]) -> int:
    """Move the rows of a node that go left before those that go right; return where these begin."""
    rows, weights, labels = bag
    feature, edge = cut
    i, j = span[0], span[1] - 1
    while i <= j:
        if rows[i, feature] <= edge:
            i += 1
            continue
        for k in range(words.shape[1]):
            words[i, k], words[j, k] = words[j, k], words[i, k]
        weights[i], weights[j] = weights[j], weights[i]
        labels[i], labels[j] = labels[j], labels[i]
        j -= 1
    return i


@numba.njit(cache=True, nogil=True)
def _best_split(
    bag: Bag,
    span: tuple[int, int],
    total: NDArray[np.int64],
    rules: tuple[int, int, int, int],
    scratch: tuple[Any, ...],
) -> tuple[np.int64, int]:
    """Return the feature and the edge that part a node best; feature -1 where nothing does."""
    order, state, room = scratch
    min_leaf, n_tried, _, shift = rules
    n_features = len(order)
    some = span[1] - span[0] <= _SOME
    best, feature, edge, varied, done = -1.0, np.int64(-1), -1, False, 0
    # As many features as asked for, and then one by one until one of them varies in this node.
    while done < n_features and not (done >= n_tried and varied):
        more = n_tried if done == 0 else 1
        for drawn in range(done, done + more):
            at = drawn + _draw(state, n_features - drawn)
            order[drawn], order[at] = order[at], order[drawn]
        tried = order[done : done + more]
        if not some:
            _count(bag, span, tried, shift, room[0])
        for j in range(more):
            if some:
                _in_order(bag, span, tried[j], room)
                found = _best_cut_in_order(bag, span, total, min_leaf, room)
            else:
                found = _best_cut(room[0][j], total, min_leaf, room)
            varied = varied or found[2]
            if found[0] > best:
                best, feature, edge = found[0], np.int64(tried[j]), found[1]
        done += more
    return feature, edge


@numba.njit(cache=True, nogil=True)
def _grow(
    table: NDArray[np.uint8],
    targets: NDArray[np.int32],
    edges: NDArray[np.float64],
    parts: NDArray[np.float64],
    rules: tuple[int, int, int, int],
    seed: np.uint64,
) -> tuple[Any, ...]:
    """Grow one tree: (left, right, feature, threshold, values), children after their parent."""
    n_classes, min_leaf = rules[2], rules[0]
    state = np.array([seed], dtype=np.uint64)
    bag = _bag(table, targets, state)
    words = bag[0].view(np.uint64)
    most = 2 * len(bag[0])
    left, right = np.full(most, -1, np.int32), np.full(most, -1, np.int32)
    feature, threshold = np.full(most, -2, np.int32), np.full(most, -2.0)
    values = np.zeros((most, n_classes))
    order = np.arange(len(edges)).astype(np.uint64)
    room = (
        np.zeros((rules[1], N_BINS, 1 << rules[3]), np.int32),
        np.zeros(n_classes, np.int64),
        np.zeros(_SOME, np.int64),
        np.zeros(N_BINS, np.int64),
        parts,
    )
    total = np.zeros(n_classes, np.int64)
    waiting = np.empty((most, 3), np.int64)
    waiting[0, 0], waiting[0, 1], waiting[0, 2] = 0, 0, len(bag[0])
    n_waiting, n_nodes = 1, 1
    while n_waiting:
        n_waiting -= 1
        node, start, stop = waiting[n_waiting]
        total[:] = 0
        weight = 0
        for i in range(start, stop):
            total[bag[2][i]] += bag[1][i]
            weight += bag[1][i]
        shown = 0
        for k in range(n_classes):
            values[node, k] = total[k]
            shown += total[k] > 0
        if shown == 1 or weight < 2 * min_leaf:
            continue
        best, edge = _best_split(bag, (start, stop), total, rules, (order, state, room))
        if best < 0:
            continue
        middle = _part(bag, words, (start, stop), (best, edge))
        feature[node], threshold[node] = best, edges[best, edge]
        left[node], right[node] = n_nodes, n_nodes + 1
        for child, begin, end in ((n_nodes, start, middle), (n_nodes + 1, middle, stop)):
            waiting[n_waiting, 0], waiting[n_waiting, 1], waiting[n_waiting, 2] = child, begin, end
            n_waiting += 1
        n_nodes += 2
    return (
        left[:n_nodes].copy(),
        right[:n_nodes].copy(),
        feature[:n_nodes].copy(),
        threshold[:n_nodes].copy(),
        values[:n_nodes].copy(),
    )
