"""Pure numerics: array in, array out; nothing here knows of recordings or people."""
