"""Configuration: strict schemas, read from TOML and from ``key.path=value``."""
