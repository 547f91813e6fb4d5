"""The station's own record of its trials: append-only, hash-chained, written before motion."""

from enpire_nodes.rollout.ledger.chain import ChainReport, Entry
from enpire_nodes.rollout.ledger.lock import station_lock_path, StationLock
from enpire_nodes.rollout.ledger.reader import LedgerReader
from enpire_nodes.rollout.ledger.writer import Ledger

__all__ = [
    'ChainReport',
    'Entry',
    'Ledger',
    'LedgerReader',
    'StationLock',
    'station_lock_path',
]
