"""The part of a station that is frozen while an agent works: safety, reset and judge."""
