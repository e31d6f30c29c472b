"""Live: sources of samples, the engine, and what is done with its decisions."""

from __future__ import annotations

__all__: list[str] = []
