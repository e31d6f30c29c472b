"""The digital twin: a simulated neuromuscular patient with ground truth.

Pure numerics, seeded, every parameter with its unit and source. What comes out is engineering
verification, never clinical evidence.
"""
