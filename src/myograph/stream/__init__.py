"""Live: sources of samples, the engine that decides as they come, and who is told."""
