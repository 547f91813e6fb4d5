"""The command `enpire` inside the agent's sandbox."""
