"""Saved as arrays: what learned something, kept as named arrays and rebuilt from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import ArtifactError

__all__ = ["SavedAsArrays"]


class SavedAsArrays:
    """An estimator whose fitted state is nothing but arrays.

    A subclass names in ``state`` the attributes that `fit` sets, all of them arrays, and answers
    from these alone. So the saved form is the fitted form: `from_arrays` gives back an estimator
    whose answers are the same, bit for bit.
    """

    #: Fitted attributes, all arrays.
    state: ClassVar[tuple[str, ...]] = ()

    #: What a reader of the result has to know about this fit, in sentences.
    notes_: tuple[str, ...] = ()

    n_features_in_: int

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything that was learned, as named arrays."""
        self._require_fitted()
        return {name.rstrip("_"): np.asarray(getattr(self, name)) for name in self._saved()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], **params: Any) -> Self:
        """Rebuild a fitted estimator from what `to_arrays` gave and its parameters.

        Raises
        ------
        ArtifactError
            If an array is missing or unknown, or the arrays do not fit together.
        """
        rebuilt = cls(**params)
        saved = {name.rstrip("_"): name for name in cls._saved()}
        if set(saved) != set(arrays):
            raise ArtifactError(
                f"{cls.__name__} is rebuilt from the arrays {sorted(saved)}; got {sorted(arrays)}."
            )
        for key, name in saved.items():
            setattr(rebuilt, name, np.asarray(arrays[key]))
        rebuilt.n_features_in_ = int(arrays["n_features_in"])
        rebuilt._check_state()
        return rebuilt

    @classmethod
    def _saved(cls) -> tuple[str, ...]:
        return ("n_features_in_", *cls.state)

    def _require_fitted(self) -> None:
        """Refuse to answer before `fit`."""
        raise NotImplementedError

    def _check_state(self) -> None:
        """Refuse arrays that do not fit together; called on what came from a file."""

    def _expect(self, name: str, *shape: int, kind: str = "f") -> None:
        array = getattr(self, name)
        if array.shape != shape or array.dtype.kind not in kind:
            raise ArtifactError(
                f"Array {name.rstrip('_')!r} of {type(self).__name__} must have shape {shape} and "
                f"dtype kind {kind!r}; got {array.shape} and {array.dtype}."
            )
