"""The hub: the bare Git repository through which stations and agents share ideas and results."""
