"""A station brought up for a while, to work off some requests: the demo, and phase one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
import os
import time
from typing import Any

from rich.console import Console

from enpire_nodes.bringup.configuration import StationConfiguration
from enpire_nodes.common.environ import restored


@dataclass(slots=True)
class Tale:
    """What happened that the ledger does not know.

    :param problems: in words, for a person.
    :param memory: bytes, by process, when the work was done.
    :param seconds: of wall-clock altogether.
    """

    problems: list[str] = field(default_factory=list)
    memory: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def work(console: Console, configuration: StationConfiguration, goals: Sequence[Any]) -> Tale:
    """Bring the station up, have it do the requests one after another, and take it down.

    :param goals: of ``RunTrials``; the first one that is not completed ends the work.
    """
    from enpire_msgs.action import RunTrials
    from enpire_nodes.cli.client import RUNNER
    from enpire_nodes.cli.live import make_view

    def act(link: Any, tale: Tale) -> None:
        console.print(f'{sum(goal.trials for goal in goals)} trials at pace {configuration.pace}')
        for number, goal in enumerate(goals, start=1):
            title = f'{link.namespace} · {goal.controller} · {number} of {len(goals)}'
            with make_view(console, title, seen=link.board.closed) as view:
                result = link.run(goal, show=view.show)
            if result.outcome != RunTrials.Result.COMPLETED:
                tale.problems.append(f'{goal.controller}: {result.message}')
                break

    return at_work(console, configuration, act, server=RUNNER)


def at_work(
    console: Console,
    configuration: StationConfiguration,
    act: Callable[[Any, Tale], None],
    *,
    server: str,
) -> Tale:
    """Bring a station up, act on it, and take it down; what goes wrong is in the tale.

    :param act: is given a link to the station, and the tale.
    :param server: node that the link sends requests to.
    """
    from enpire_nodes.bringup.station import (
        StationNotReadyError,
        StationProcesses,
        StationTakenError,
    )
    from enpire_nodes.cli.client import StationLink
    from enpire_nodes.common.errors import StationError

    tale, began = Tale(), time.monotonic()
    try:
        with (
            StationProcesses(configuration) as station,
            StationLink(station.namespace, server=server) as link,
        ):
            with console.status(f'bringing {station.namespace} up'):
                station.wait_ready(90.0)
            console.print(f'{station.namespace} is up after {time.monotonic() - began:.1f} s')
            act(link, tale)
            tale.memory = station.memory()
            for node in station.pids():
                if station.restarts(node):
                    tale.problems.append(f'{node} had to be restarted; see {station.log(node)}')
    except (StationNotReadyError, StationTakenError, StationError, OSError) as error:
        tale.problems.append(str(error))
    except KeyboardInterrupt:
        tale.problems.append('interrupted; what was recorded stays')
    tale.seconds = time.monotonic() - began
    return tale


@contextmanager
def own_domain(wanted: int | None = None) -> Iterator[int]:
    """Stay on this machine, in a ROS domain that nobody else uses unless one is given."""
    given = wanted if wanted is not None else os.environ.get('ROS_DOMAIN_ID')
    with restored('ROS_DOMAIN_ID', 'ROS_AUTOMATIC_DISCOVERY_RANGE'):
        os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
        if given is not None:
            os.environ['ROS_DOMAIN_ID'] = str(given)
            yield int(given)
            return
        import domain_coordinator

        with domain_coordinator.domain_id() as domain:
            os.environ['ROS_DOMAIN_ID'] = str(domain)
            yield domain
