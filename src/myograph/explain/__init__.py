"""Why a model decided as it did: what mattered, how sure that is, and what would change it."""
