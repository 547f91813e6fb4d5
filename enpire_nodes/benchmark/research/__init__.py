"""Research campaigns in one process, to measure a researcher over many seeds."""
