"""A campaign: what the station does for an agent, in which order, and when it is over."""
