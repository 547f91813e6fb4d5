"""The environment contract: what is frozen, who signed it, and whether it is still so."""
