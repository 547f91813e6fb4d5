"""The options of training, the same for ``enpire train`` and for ``python train.py``."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them to a parser."""
    parser.add_argument(
        '--run', action='append', type=Path, default=[], metavar='DIR', dest='runs',
        help='run directory of a station to learn from; default: those of the workspace',
    )  # fmt: skip
    parser.add_argument(
        '--follow', action='store_true', help='go on with every trial that a station closes'
    )
    parser.add_argument('--fresh', action='store_true', help='forget how far the last run came')
