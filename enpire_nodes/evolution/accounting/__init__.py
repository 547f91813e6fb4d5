"""Accounting: what a campaign cost and came to, from logged instants alone."""
