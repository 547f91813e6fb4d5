"""The idea tree: which idea came of which, what was measured of it, and how it is drawn."""
