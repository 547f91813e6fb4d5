"""How well the algorithms of the workspace learn: ``make bench-learning``."""
