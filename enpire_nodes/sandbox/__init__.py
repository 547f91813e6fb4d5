"""Sandbox: running code that is not trusted, with bubblewrap, without the network."""
