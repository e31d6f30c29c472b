"""The nouns and the contracts: numpy and the standard library only."""
