"""The builtin researcher: ideas from a catalogue, tried by a bandit, without a language model."""
