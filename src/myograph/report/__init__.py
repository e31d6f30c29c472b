"""What people read: one self-contained page per evaluation, and the figures in it."""
