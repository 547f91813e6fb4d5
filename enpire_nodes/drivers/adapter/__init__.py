"""Between the station's topics of one arm and the topics that its own controller has."""
