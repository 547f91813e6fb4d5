"""``python -m enpire_nodes.evolution.researcher``: research in the clone of the current folder."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
import sys
import time

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.agents.interface import CANNOT_GO_ON
from enpire_nodes.evolution.researcher.proposer import Proposer
from enpire_nodes.evolution.researcher.repository import Repository
from enpire_nodes.evolution.researcher.research import Researcher
from enpire_nodes.evolution.researcher.training import Trainer
from enpire_nodes.evolution.tool.client import DeskClient

_PATIENCE = 120.0  # s that a station which does not answer, or a hub, may take to come back
_TRANSIENT = (
    ErrorCode.SUPERVISOR_SOCKET_FAILED,
    ErrorCode.HUB_GIT_FAILED,
    ErrorCode.HUB_UNREACHABLE,
    ErrorCode.SUPERVISOR_BUSY,
)


def main(arguments: list[str] | None = None) -> int:
    """Research until the campaign is over."""
    parser = argparse.ArgumentParser(prog='researcher', description=__doc__)
    parser.add_argument('--seed', type=int, default=0, help='of every choice (default: 0)')
    parser.add_argument(
        '--socket', default=os.environ.get('ENPIRE_TRIAL_SOCKET', ''), help='of trials'
    )
    parser.add_argument(
        '--station', default=os.environ.get('ENPIRE_STATION', 'station_1'), help='its name'
    )
    parser.add_argument('--retries', action='store_true', help='try ideas about second attempts')
    args = parser.parse_args(arguments)
    here = Path.cwd()
    desk, repository = DeskClient(args.socket), Repository(here, args.station)
    trainer = Trainer(repository.files, here / '.enpire', desk.store, _say)
    proposer = Proposer(repository, args.seed, trains=trainer.usable, retries=args.retries)
    researcher = Researcher(desk, repository, proposer, trainer, say=_say)
    began = time.monotonic()
    try:
        while True:
            try:
                reason = researcher.step()
                began = time.monotonic()
            except StationError as error:
                if error.code not in _TRANSIENT or time.monotonic() - began > _PATIENCE:
                    sys.stderr.write(f'{error.code.name}: {error.message}\n')
                    return CANNOT_GO_ON if error.code is ErrorCode.SUPERVISOR_JOB_REFUSED else 1
                _say(f'waiting: {error.message}')
                time.sleep(1.0)
                continue
            if reason:
                _say(reason)
                return 0
    finally:
        trainer.close()


def _say(words: str) -> None:
    sys.stdout.write(words + '\n')
    sys.stdout.flush()


if __name__ == '__main__':
    sys.exit(main())
