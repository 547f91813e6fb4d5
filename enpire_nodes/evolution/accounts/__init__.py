"""What happened in a trial, told so that whoever was not there can see why it failed."""

from enpire_nodes.evolution.accounts.account import account, reason
from enpire_nodes.evolution.accounts.clips import clip
from enpire_nodes.evolution.accounts.frames import picture

__all__ = ['account', 'clip', 'picture', 'reason']
