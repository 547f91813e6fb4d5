"""What every node shares: lifecycle, parameters, heartbeats, conversions, ticks and goals."""
