"""The compiled passes. Each module is loaded, and compiled or read from cache, when first used."""
