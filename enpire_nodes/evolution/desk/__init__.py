"""What the agent asks the station for, and what it is answered, over the trial socket."""
