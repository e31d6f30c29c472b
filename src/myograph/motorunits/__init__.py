"""Motor units and their discharge, as far as a recording tells."""
