"""A judge that breaks in the middle of a campaign is noticed; the numbers are printed (-s)."""

from __future__ import annotations

from broken_judges import BREAKS, CountingJudge, World
import numpy as np
import pytest
from scripted_station import ScriptedStation, verdict

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout.auditing.alarm import AlarmRule, PERSON, TRUTH
from enpire_nodes.rollout.auditing.audited import AuditedStation
from enpire_nodes.rollout.auditing.canary_trials import CanaryTrials
from enpire_nodes.rollout.auditing.desk import AuditDesk
from enpire_nodes.rollout.auditing.doubt import Doubt
from enpire_nodes.rollout.auditing.sample import Sampler
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.records import CANARY, RequestRecord
from enpire_nodes.rollout.records import VerdictOutcome as V
from enpire_nodes.rollout.trial.requests import Identity, RequestOutcome, RequestRunner
from enpire_nodes.rollout.trial.timeline import Timeline

HEALTHY = 15  # trials before it breaks
MOST = 150  # trials after that
CAMPAIGNS = 9


class Campaign:
    """A request on a scripted station whose attempts and verdicts come from a world.

    :param truth: the simulator's truth is heard.
    :param person: every trial is drawn and labelled rightly.
    """

    def __init__(
        self, run, seed: int, *, canary_every: int = 0, truth: bool = False, person: bool = False
    ) -> None:
        self.world = World(np.random.default_rng(seed))
        self.judge = CountingJudge(self.world)
        self.person, self.truth = person, truth
        self.truths: dict[int, bool] = {}
        self.policy = True
        self.desk = AuditDesk(run, Sampler(b'key', float(person)), AlarmRule())
        self.ledger = Ledger(run, station='s', owner='test')
        self.station = _Station(self)
        shared = {
            'ledger': self.ledger,
            'timeline': Timeline(self.ledger.add_interval),
            'identity': lambda: Identity('s', 'pin_insertion', 'digest'),
            'draw_seed': lambda index: index % 2**32,
            'trial_closed': self._closed,
        }
        doubt = Doubt(run)
        canaries = CanaryTrials(
            station=self.station, calls=self.station, doubt=doubt, every=canary_every,
            catalogue=(), **shared,
        )  # fmt: skip
        station = AuditedStation(self.station, doubt, canaries)
        self.runner = RequestRunner(station=station, **shared)

    def run(self, name: str, trials: int):
        return self.runner.run(RequestRecord(name, 'agent', trials, 3, ()))

    def _closed(self, trial) -> None:
        truths, self.truths = self.truths, {}
        self.desk.hear(trial, truths if self.truth else None)
        if self.person and trial.requester != CANARY:
            for attempt, success in truths.items():
                label = V.SUCCESS if success else V.FAILURE
                self.desk.label(trial.trial_id, attempt, label, labeller='Ada', seconds=5.0)


class _Station(ScriptedStation):
    def __init__(self, campaign: Campaign) -> None:
        super().__init__()
        self.campaign = campaign

    def prepare(self, controller: str, parameters: dict) -> str:
        self.campaign.policy = controller != 'hold'
        return super().prepare(controller, parameters)

    def current_controller(self) -> str:
        return 'scripted'

    def now_ns(self) -> int:
        self.clock += 10**8
        return self.clock

    def reset(self, trial_id: str, seed: int):
        self.campaign.world.depth = -0.03  # in the hand over the hole
        return super().reset(trial_id, seed)

    def execute(self, trial_id: str, attempt: int, **fields):
        if self.campaign.policy:
            self.campaign.world.attempt()
        return super().execute(trial_id, attempt, **fields)

    def judge(self, trial_id: str, attempt: int, **stamps: int):
        self.campaign.truths[attempt] = self.campaign.world.success
        return verdict(self.campaign.judge.decide())


@pytest.fixture
def campaign(tmp_path):
    made = []

    def make(seed: int, **options) -> Campaign:
        made.append(Campaign(tmp_path / f'{len(made)}', seed, **options))
        return made[-1]

    yield make
    for item in made:
        item.ledger.close()


AUDITS = {
    'truth': {'truth': True},
    'a person who labels every trial': {'person': True},
    'canaries every 10 trials': {'canary_every': 10},
}
#: What is noticed by whom within how many trials, in each of the campaigns. A canary is a clear
#: failure: it finds a judge that says SUCCESS to anything, not one that is too kind to half a pin.
WITHIN = {
    ('says SUCCESS always', 'truth'): 12,
    ('says SUCCESS always', 'a person who labels every trial'): 12,
    ('says SUCCESS always', 'canaries every 10 trials'): 10,
    ('threshold moved from 20 to 2 mm', 'truth'): 40,
    ('threshold moved from 20 to 2 mm', 'a person who labels every trial'): 40,
    ("one camera's vote inverted", 'truth'): 20,
    ("one camera's vote inverted", 'a person who labels every trial'): 20,
}


@pytest.mark.parametrize(('broken', 'audit'), WITHIN)
def test_a_judge_that_breaks_is_noticed(campaign, broken, audit):
    counts = []
    for seed in range(CAMPAIGNS):
        station = campaign(seed, **AUDITS[audit])
        assert station.run('healthy', HEALTHY).outcome is RequestOutcome.COMPLETED
        BREAKS[broken](station.judge)
        result = station.run('broken', MOST)
        assert result.outcome is RequestOutcome.STOPPED
        assert result.error_code is ErrorCode.RUNNER_JUDGE_DOUBTED
        assert 'enpire audit' in result.message
        counts.append(result.summary.trials)
    print(f'{broken}: noticed by {audit} after {sorted(counts)} trials')
    assert max(counts) <= WITHIN[broken, audit]


@pytest.mark.parametrize('audit', AUDITS)
def test_a_judge_that_works_is_not_doubted(campaign, audit):
    station = campaign(0, **AUDITS[audit])
    assert station.run('healthy', MOST).outcome is RequestOutcome.COMPLETED
    tallies = station.desk.audits.whole.tallies
    for auditor in {TRUTH, PERSON} & tallies.keys():
        assert tallies[auditor].true_successes + tallies[auditor].true_failures > 60


def test_the_alarm_outlives_runner_and_auditor(campaign, tmp_path):
    first = campaign(0, truth=True)
    BREAKS['says SUCCESS always'](first.judge)
    message = first.run('broken', MOST).message
    count = len(first.ledger.trials())
    first.ledger.close()
    second = Campaign(tmp_path / '0', 1)
    result = second.run('again', 5)
    assert (result.error_code, result.message) == (ErrorCode.RUNNER_JUDGE_DOUBTED, message)
    assert len(second.ledger.trials()) == count
    second.desk.clear(who='Ada', seconds=90.0, reason='the camera was hit')
    assert second.run('again', 5).outcome is RequestOutcome.COMPLETED
    second.ledger.close()
