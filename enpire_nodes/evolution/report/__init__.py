"""The report of a campaign, and the check that nothing behind it was touched."""
