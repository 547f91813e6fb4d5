"""Whether the judge can still be trusted: samples, labels, canaries, a second look, an alarm."""
