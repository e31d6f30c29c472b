"""What is not looked at where an optional package is missing."""

from __future__ import annotations

from importlib.util import find_spec

# Their examples cannot be run, as importing them needs torch.
collect_ignore_glob = [] if find_spec("torch") else ["src/myograph/models/nets/*"]
