"""Putting a pin into a hole with 4 mm of clearance."""
