"""The trial protocol: what happens in a trial and in which order, over any kind of station."""
