"""Seeds: drawn by the station, repeatable from its campaign seed, and not told to the policy."""

from __future__ import annotations

import hashlib
import secrets


def fresh_campaign_seed() -> int:
    """Draw a campaign seed nobody knows, within 1 to 2**31 - 1."""
    return secrets.randbelow(2**31 - 1) + 1


def trial_seed(campaign_seed: int, index: int) -> int:
    """Return the seed of the starting pose of a campaign's trial, 32 bits."""
    return _derived('starting pose', campaign_seed, index)


def policy_seed(seed: int, attempt: int) -> int:
    """Return the seed of the policy's own randomness, from which ``seed`` cannot be found out."""
    return _derived('policy', seed, attempt)


def _derived(purpose: str, *numbers: int) -> int:
    text = ' '.join([purpose, *map(str, numbers)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], 'little')
