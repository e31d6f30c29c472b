"""From samples to decisions: one definition, for whole recordings and for a stream."""
