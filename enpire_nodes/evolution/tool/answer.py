"""What a command of the agent works with, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
import json
import os
from pathlib import Path
from typing import Any

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.tool.client import DeskClient
from enpire_nodes.evolution.tool.clone import Clone


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    :param data: JSON types.
    :param lines: the same as text.
    :param next: what to do now.
    """

    data: Any
    lines: list[str]
    next: str = ''

    def text(self, *, as_json: bool) -> str:
        """Return it for the terminal."""
        if as_json:
            data = self.data if isinstance(self.data, dict) else {'items': self.data}
            return json.dumps({**data, 'next': self.next}, ensure_ascii=False)
        return '\n'.join([*self.lines, *([f'next: {self.next}'] if self.next else [])])


class Place:
    """Where the command runs: the socket of its station, and the clone that it is in."""

    @cached_property
    def desk(self) -> DeskClient:
        """The station.

        :raises StationError: SUPERVISOR_SOCKET_FAILED, ENPIRE_TRIAL_SOCKET is not set.
        """
        return DeskClient(_variable('ENPIRE_TRIAL_SOCKET'))

    @cached_property
    def clone(self) -> Clone:
        """The clone around the working directory."""
        return Clone.find(Path.cwd())

    @property
    def station(self) -> str:
        """The name of the station."""
        return _variable('ENPIRE_STATION')


def _variable(name: str) -> str:
    value = os.environ.get(name, '')
    if not value:
        raise StationError(
            ErrorCode.SUPERVISOR_SOCKET_FAILED,
            f'{name} is not set: this command works inside a station that does research '
            '(`enpire research`)',
        )
    return value
