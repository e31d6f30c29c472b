"""One module for every source of recordings: its card, and how its files are read.

Each has a ``CARD`` and ``read(files) -> Contents``. Nothing here reads a recording before it is
asked for.
"""
