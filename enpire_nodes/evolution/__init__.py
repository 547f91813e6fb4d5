"""Evolution: the coding agent, what it may do, what it costs, and what came of its ideas."""
