"""A night in miniature with the real agents: installing them, and what is played."""
