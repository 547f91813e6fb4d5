"""A campaign of an agent at a simulated station, as its records show it while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import os
from pathlib import Path
from typing import Any

from scripted_model import ScriptedModel

from enpire_nodes.bringup.configuration import load_configuration, StationConfiguration
from enpire_nodes.cli.session import own_domain
from enpire_nodes.cli.soak import DRIFT
from enpire_nodes.common.environ import restored
from enpire_nodes.evolution.campaign.book import CampaignBook
from enpire_nodes.evolution.journal import AGENT, Journal, research_directory
from enpire_nodes.evolution.records import Job, JobKind, JobState, Tokens
from enpire_nodes.evolution.researcher.start import seed_hub
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.records import TrialRecord

#: More than a script of research takes in the time; the expensive one uses it up in a few steps.
TOKENS = 2_000_000
_BACKSTOP = 900.0  # s (wall)


class Campaign:
    """The records of a run, and the model that the agent of it asks."""

    def __init__(self, run: Path, model: ScriptedModel) -> None:
        self.run, self.model = run, model
        self._book: CampaignBook | None = None

    @property
    def begun(self) -> bool:
        """Whether there is anything to read."""
        return (research_directory(self.run) / 'journal.jsonl').is_file()

    @property
    def book(self) -> CampaignBook:
        """The journal, as it stands now."""
        if self._book is None:
            self._book = CampaignBook(Journal(self.run))
        self._book.read()
        return self._book

    @property
    def trials(self) -> list[TrialRecord]:
        """All trials, those that have not ended included."""
        with LedgerReader(self.run) as ledger:
            return ledger.trials()

    @property
    def open_trials(self) -> list[TrialRecord]:
        """The trials under way."""
        with LedgerReader(self.run) as ledger:
            return ledger.open_trials()

    @property
    def closed(self) -> int:
        """How many trials have ended."""
        return len(self.trials) - len(self.open_trials)

    @property
    def calls(self) -> int:
        """How many answers of the model the journal holds."""
        return sum(call.counted for call in self.book.calls())

    @property
    def metered(self) -> Tokens:
        """What the station says that they took."""
        return self.book.tokens

    @property
    def sessions(self) -> list[str]:
        """The conversations of the agent, in turn."""
        noted = [entry.data for entry in self.book.entries if entry.kind == AGENT]
        return [data['session'] for data in noted if data['event'] == 'session']

    @property
    def lives(self) -> int:
        """How often the agent was started."""
        noted = [entry.data for entry in self.book.entries if entry.kind == AGENT]
        return sum('was started (life' in data.get('words', '') for data in noted)

    def retests(self) -> list[Job]:
        """Return the re-tests that have been run."""
        book = self.book
        return [
            job for job in book.of_kind(JobKind.RETEST) if book.state(job.job_id) is JobState.DONE
        ]


def configuration_of(run: Path, url: str, key_file: Path) -> StationConfiguration:
    """Return a simulated station whose agent asks the scripted model."""
    supervisor = {
        'model_url': url,
        'model_key_file': str(key_file),
        'require_frozen': False,
        'retest_trials': 4,
        'confirmation_attempts': 1,
        'background_share': 0.0,
    }
    configuration = load_configuration(
        'station_1',
        pace='lockstep',
        seed=7,
        run=run,
        parameters={'driver': DRIFT, 'agent_supervisor': supervisor},
    )
    seed_hub(run, configuration.task)
    return configuration


@contextmanager
def alone(keys: Path) -> Iterator[None]:
    """Keep away from every other station: its keys, and its ROS domain."""
    with restored('ENPIRE_KEYS', 'ROS_DOMAIN_ID'):
        os.environ['ENPIRE_KEYS'] = str(keys)
        os.environ.pop('ROS_DOMAIN_ID', None)
        with own_domain():
            yield


def research(
    configuration: StationConfiguration, agent: str, begin: Callable[[Any], Iterator[None]]
) -> tuple[Any, dict[str, int]]:
    """Run a campaign; return its result, and how often which process was started again.

    :param begin: is given the station; what it returns is asked on a few times a second.
    """
    from enpire_msgs.action import RunResearch
    from enpire_nodes.bringup.station import StationProcesses
    from enpire_nodes.cli.client import StationLink, SUPERVISOR
    from enpire_nodes.evolution.supervisor_messages import duration

    goal = RunResearch.Goal(
        agent=agent,
        model='stub-model',
        campaign=f'night-{agent}',
        target_success_rate=0.5,
        confirmation_trials=5,
        budget_tokens=TOKENS,
        budget_wall_clock=duration(_BACKSTOP),
    )
    with StationProcesses(configuration) as station:
        station.wait_ready(120.0)
        with StationLink(station.namespace, server=SUPERVISOR) as link:
            story = begin(station)
            result = link.run(goal, show=lambda board: next(story, None))
            for _ in story:
                raise AssertionError(f'the campaign ended too early: {result.message}')
        restarts = {station.log(name).stem: station.restarts(name) for name in station.pids()}
        return result, {name: count for name, count in restarts.items() if count}
