"""The metering proxy: what the agent asks of a model, counted, paid for, and held to a budget."""
