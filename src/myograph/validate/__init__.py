"""Folds over people, intervals over people; leakage cannot be constructed."""
