"""Coding agents: how each is called, what it says, and how one is kept at work."""
