"""Whether an environment may be frozen: its judge and its reset, measured, with bounds."""
