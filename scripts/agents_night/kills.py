"""What happens to a campaign in the night: its agent, its runner and its supervisor are killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import os
import signal
import time
from typing import Any

from agents_night import research_script
from agents_night.campaign import Campaign, TOKENS
from agents_night.processes import agent_of, sandbox_of, waits_for_trials
from enpire_nodes.rollout.records import TrialOutcome

_LONG = 240.0  # s
_WAITING = 4.0  # s; the command of an agent waits for twice as long


class Kills:
    """Kills one after the other, each once the campaign has got over the last one.

    :param told: what was killed when, in words.
    """

    def __init__(self, campaign: Campaign, station: Any) -> None:
        self._campaign, self._station = campaign, station
        self._began = time.monotonic()
        self.told: list[str] = []

    def story(self) -> Iterator[None]:
        """Advance by a look; ends when everything has happened, and the budget is being used up.

        :raises AssertionError: something did not happen in time.
        """
        campaign = self._campaign
        yield from self._until(lambda: campaign.begun, 'the beginning')
        for kill in (self._kill_agent, self._kill_runner, self._kill_supervisor):
            yield from kill()
        campaign.model.script = research_script.proposing()
        yield from self._until(campaign.retests, 'a re-test')
        self._tell('re-tested')
        campaign.model.script = research_script.spending(TOKENS // 4)

    def _kill_agent(self) -> Iterator[None]:
        campaign = self._campaign
        yield from self._until(self._waits, 'an agent that waits for trials')
        lives = campaign.lives
        os.kill(agent_of(sandbox_of(self._supervisor)), signal.SIGKILL)
        self._tell('killed the agent')
        yield from self._until(lambda: campaign.lives > lives, 'the next life of the agent')
        yield from self._goes_on()
        assert len(set(campaign.sessions)) == 1, campaign.sessions

    def _kill_runner(self) -> Iterator[None]:
        campaign = self._campaign
        yield from self._until(lambda: campaign.open_trials, 'a trial under way')
        hit = campaign.open_trials
        self._station.kill('trial_runner')
        self._tell('killed the trial runner')
        yield from self._until(lambda: self._interrupted(hit), 'an interrupted trial')
        yield from self._goes_on()

    def _kill_supervisor(self) -> Iterator[None]:
        campaign = self._campaign
        yield from self._until(self._waits, 'an agent that waits for trials')
        lives = campaign.lives
        self._station.kill('agent_supervisor')
        self._tell('killed the supervisor')
        yield from self._until(lambda: campaign.lives > lives, 'an agent of the next supervisor')
        yield from self._goes_on()
        assert len(set(campaign.sessions)) == 1, campaign.sessions

    # -- within -------------------------------------------------------------------------------

    @property
    def _supervisor(self) -> int:
        return self._station.pids()['agent_supervisor']

    def _waits(self) -> bool:
        """Whether the agent waits for a trial that runs, and asks the model for nothing."""
        pid = self._supervisor
        return bool(
            pid
            and self._campaign.open_trials
            and not self._campaign.model.busy
            and waits_for_trials(pid, at_most=_WAITING)
        )

    def _interrupted(self, hit: list) -> bool:
        names = {trial.trial_id for trial in hit}
        return any(
            trial.outcome is TrialOutcome.INTERRUPTED
            for trial in self._campaign.trials
            if trial.trial_id in names
        )

    def _goes_on(self) -> Iterator[None]:
        campaign = self._campaign
        trials, calls = campaign.closed, campaign.calls
        yield from self._until(
            lambda: campaign.closed > trials and campaign.calls > calls,
            'a further trial and a further answer of the model',
        )
        self._tell('it goes on')

    def _until(self, condition: Callable[[], object], what: str) -> Iterator[None]:
        deadline = time.monotonic() + _LONG
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f'{what}: not within {_LONG:.0f} s')
            yield

    def _tell(self, words: str) -> None:
        self.told.append(f'{words} ({time.monotonic() - self._began:.0f} s)')
