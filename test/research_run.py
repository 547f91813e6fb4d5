"""A finished campaign to test with: ledger, journal, hub and bags, hours of it in some seconds.

Everything is written by the station's own classes, with a clock of ours; what came of the trials
is drawn, and the same for the same seed. A recipe's true rate is its parent's and a bit, mostly a
bit less.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
import random
from unittest import mock

from trial_support import ended, open_trial, write_bag

from enpire_nodes.environment.contract.signing import signing_key
from enpire_nodes.evolution import journal
from enpire_nodes.evolution.campaign.artifacts import Artifacts
from enpire_nodes.evolution.hub.git import clean_environment, git
from enpire_nodes.evolution.hub.names import branch
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.records import (
    Arm,
    Budgets,
    CampaignRecord,
    IdeaRecord,
    Job,
    JobChange,
    JobKind,
    JobState,
    ModelCall,
    Promotion,
    Tokens,
)
from enpire_nodes.rollout.auditing.book import AuditBook, FINDING, TRIAL
from enpire_nodes.rollout.ledger import chain, Ledger
from enpire_nodes.rollout.recording.check import check_bag
from enpire_nodes.rollout.records import (
    Activity,
    RequestRecord,
    StateInterval,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
)
from enpire_nodes.rollout.statistics import lower_bound

S = 10**9
START_NS = 1_790_000_000 * S
ENVIRONMENT = 'e' * 64
SUBJECTS = (
    'Mix demonstrations into every batch',
    'Regularize the actor towards the demonstrations with weight 0.3',
    'Halve the batch, twice the updates',
    'Lower the entropy target after the first hundred trials',
    'Compensate the drift of the controller in the last 4 mm of the insertion',
    'Search in a spiral when the force rises above 6 N',
    'Predict chunks of 8 actions and execute 4',
    'Normalize the force by its median',
    'Crop the camera around the hole, so that the tip has more pixels',
    'Use an ensemble of ten critics and drop two',
    'Augment pictures by shifts of at most 4 pixels',
    'Slow down near contact',
    'Train on successes alone',
    'Begin from the replayed demonstration and learn a residual',
    'Weigh late steps more',
)


@dataclass
class Clock:
    """Stands in for the module ``time`` where entries are stamped."""

    now: float = 0.0

    def time_ns(self) -> int:
        return START_NS + round(self.now * S)

    def monotonic_ns(self) -> int:
        return round(self.now * S)


@dataclass
class ResearchRun:
    """Writes one campaign into ``path``.

    :param ideas: how many the agent commits.
    :param bags: of how many trials (from the first) a bag is kept.
    """

    path: Path
    keys: Path
    ideas: int = 15
    seed: int = 1
    target: float = 0.9
    bags: int = 2
    trials: int = 12
    block: int = 50

    def write(self) -> Path:
        self.random, self.clock, self.number = random.Random(self.seed), Clock(), 0
        self.rates: dict[str, float] = {}
        self.key = signing_key(self.keys)
        with mock.patch.object(chain, 'time', self.clock):
            self.journal = journal.Journal(self.path)
            seed = self.path / 'seed'
            seed.mkdir(parents=True)
            (seed / 'train.py').write_text('print(0)\n')
            (seed / 'FROZEN').write_text('FROZEN\n')
            self.hub = Hub.create(self.path / 'research' / 'hub.git', seed=seed)
            self.base = self.hub.main
            self.audits = AuditBook(self.path)
            with Ledger(self.path, station='station_1', owner='test') as self.ledger:
                self._campaign()
        return self.path

    def _campaign(self) -> None:
        self.spend(5.0, Activity.IDLE_NO_WORK)
        self.journal.record(
            CampaignRecord(
                'night', 'station_1', 'pin_insertion', 'claude', 'model-1', self.target,
                self.block, Budgets(tokens=20_000_000, money=60.0, robot_time=8 * 3600.0),
                str(self.hub.path), ENVIRONMENT, self.base, 'USD',
            )
        )  # fmt: skip
        self.rates[self.base] = 0.25
        best, tips = self.base, [self.base]
        self.grade(self.base, self.trials)
        for number in range(self.ideas):
            daring = self.random.random()
            parent = best if daring < 0.75 else self.random.choice(tips)
            gain = self.random.gauss(-0.08, 0.1)
            if number in (1, self.ideas // 4, self.ideas // 2, self.ideas - 3):
                gain, parent = 0.22, best
            commit = self.commit(parent, number, [best] if parent != best and daring > 0.9 else [])
            self.rates[commit] = min(0.99, max(0.0, self.rates[parent] + gain))
            tips.append(commit)
            if number == self.ideas - 1:
                break  # untested when the campaign ended
            retest = gain == 0.22
            self.compare(commit, best, 3 * self.trials if retest else self.trials, retest)
            if retest and self.rates[commit] > self.rates[best]:
                best = commit
            self.human(number)
        self.confirm(best)
        self.journal.note(
            journal.FINISHED, outcome='certified', message='the target is certified',
            ledger_head=self.ledger.verify().head,
        )  # fmt: skip

    def human(self, number: int) -> None:
        if number % 7 == 3:
            self.journal.note(journal.HUMAN, seconds=40.0, why='review')
        self.journal.note(journal.GPU, seconds=60.0, share=round(self.random.random(), 3))

    def commit(self, parent: str, number: int, borrowed: list[str]) -> str:
        self.think(self.random.randint(2, 7))
        text = f'{SUBJECTS[number % len(SUBJECTS)]}\n\nIdea: idea-{number}\n'
        text += ''.join(f'Borrowed-From: {other}\n' for other in borrowed)
        stamp = f'{self.clock.time_ns() // S} +0000'
        author = {'GIT_COMMITTER_NAME': 'station_1', 'GIT_AUTHOR_NAME': 'station_1'}
        dates = {'GIT_COMMITTER_DATE': stamp, 'GIT_AUTHOR_DATE': stamp}
        blob = git(
            self.hub.path, 'hash-object', '-w', '--stdin', content=f'print({number})\n'.encode()
        ).text
        tree = git(self.hub.path, 'mktree', content=f'100644 blob {blob}\ttrain.py\n'.encode())
        commit = git(
            self.hub.path, 'commit-tree', '-p', parent, '-m', text, tree.text,
            environment=clean_environment(**author, **dates),
        ).text  # fmt: skip
        git(self.hub.path, 'update-ref', f'{branch("station_1")}/idea-{number}', commit)
        subject = text.split('\n', 1)[0]
        self.journal.record(
            IdeaRecord(commit, parent, subject, 'station_1', self.clock.time_ns(), tuple(borrowed))
        )
        return commit

    def think(self, calls: int) -> None:
        for _ in range(calls):
            begin = self.clock.time_ns()
            length = self.random.uniform(6.0, 40.0)
            self.spend(length, Activity.IDLE_WAITING_AGENT)
            counts = Tokens(
                fresh=self.random.randint(500, 4000), cached=self.random.randint(20_000, 90_000),
                written=self.random.randint(500, 4000), output=self.random.randint(300, 3000),
                reasoning=self.random.randint(0, 300),
            )  # fmt: skip
            self.number += 1
            self.journal.record(
                ModelCall(
                    f'call_{self.number}', 'messages', 'model-1', begin, self.clock.time_ns(),
                    begin + 3 * S, 200, True, counts, counts.output * 15e-6 + counts.fresh * 3e-6,
                )
            )  # fmt: skip

    def spend(self, seconds: float, activity: Activity, trial: str = '', who: str = '') -> None:
        begin, ticks = self.clock.time_ns(), self.clock.monotonic_ns()
        self.clock.now += seconds
        self.ledger.add_interval(
            StateInterval(
                activity, begin, self.clock.time_ns(), ticks, self.clock.monotonic_ns(), who, trial
            )
        )

    def job(self, kind: JobKind, requester: str, commits: list[str], trials: int) -> Job:
        self.number += 1
        seeds = tuple(self.random.sample(range(10**6), trials))
        arms = tuple(
            Arm(f'r{self.number}.{i}', commit, self.weights(commit), f'idea-{commit[:4]}')
            for i, commit in enumerate(commits)
        )
        job = Job(f'j{self.number}', kind, requester, arms, trials, 2, seeds,
                  self.clock.time_ns())  # fmt: skip
        self.journal.record(job)
        for arm in arms:
            self.ledger.start_request(
                RequestRecord(
                    arm.request_id, requester, trials, 2, seeds, 'learned', {}, arm.idea,
                    arm.commit, kind is JobKind.CONFIRM,
                    ENVIRONMENT if kind is JobKind.CONFIRM else '',
                )
            )  # fmt: skip
        for seed in seeds:
            for arm in arms:
                self.trial(arm, seed, requester)
        self.journal.record(JobChange(job.job_id, JobState.DONE, 'done'))
        self.results(job)
        return job

    def weights(self, commit: str) -> str:
        return Artifacts(self.path / 'research' / 'artifacts').store(commit.encode())

    def results(self, job: Job) -> None:
        for arm in job.arms:
            own = self.ledger.trials_of_request(arm.request_id)
            result = {'request': arm.request_id, 'successes': sum(t.success for t in own)}
            line = self.hub.add_result('station_1', arm.commit, result, self.key)
            self.journal.note(journal.RESULT, **line)

    def grade(self, commit: str, trials: int) -> None:
        self.job(JobKind.TEST, 'agent', [commit], trials)

    def compare(self, commit: str, best: str, trials: int, retest: bool) -> None:
        kind = JobKind.RETEST if retest else JobKind.TEST
        self.job(kind, 'agent', [commit, best], trials)

    def confirm(self, commit: str) -> None:
        self.rates[commit] = 1.0
        job = self.job(JobKind.CONFIRM, 'station', [commit], self.block)
        request = job.arms[0].request_id
        trials = self.ledger.trials_of_request(request)
        won = sum(trial.success for trial in trials)
        promotion = Promotion(
            commit, request, won, len(trials), lower_bound(won, len(trials)), job.arms[0].weights
        )
        self.journal.record(promotion)
        git(self.hub.path, 'update-ref', 'refs/heads/main', commit)

    def trial(self, arm: Arm, seed: int, requester: str) -> None:
        self.number += 1
        name = f'trial_{self.number:05d}'
        trial = open_trial(
            name, request_id=arm.request_id, requester=requester, idea=arm.idea,
            commit=arm.commit, controller='learned', controller_parameters={}, seed=seed,
            max_attempts=2, environment_digest=ENVIRONMENT, start_ns=self.clock.time_ns(),
        )  # fmt: skip
        self.ledger.start_trial(trial)
        lucky = self.random.random() < self.rates[arm.commit]
        for activity, seconds in (
            (Activity.RESETTING, 6.0), (Activity.EXECUTING, 5.0), (Activity.VERIFYING, 0.8),
        ):  # fmt: skip
            self.spend(seconds * self.random.uniform(0.7, 1.4), activity, name, requester)
        broken = (
            self.random.random() < 0.01
            and arm.commit != self.base
            and self.rates[arm.commit] < 1.0
        )
        outcome = TrialOutcome.SUCCESS if lucky else TrialOutcome.FAILURE
        done = ended(trial, TrialOutcome.FAULTED if broken else outcome)
        if outcome is TrialOutcome.SUCCESS and not broken and self.random.random() < 0.8:
            done = replace(done, attempts=(replace(done.attempts[1], index=1),))
        if self.bags > 0:
            self.bags -= 1
            write_bag(self.ledger.run.bag(name), 20)
            digest = check_bag(self.ledger.run.bag(name)).digest
            done = replace(done, bag=f'trials/{name}/bag', bag_digest=digest)
        self.ledger.close_trial(replace(done, end_ns=self.clock.time_ns(), infrastructure=broken))
        self.audit(name, done)
        self.spend(0.4, Activity.IDLE_NO_WORK)

    def audit(self, name: str, trial: TrialRecord) -> None:
        verdicts = {
            attempt.index: attempt.verdict.outcome.name
            for attempt in trial.attempts
            if attempt.verdict.outcome is not VerdictOutcome.UNSET
        }
        if self.number % 5 or not verdicts:
            return
        self.audits.append(
            TRIAL,
            {'trial_id': name, 'environment_digest': ENVIRONMENT, 'canary': '', 'sampled': True,
             'verdicts': {str(index): says for index, says in verdicts.items()}},
        )  # fmt: skip
        for index, says in verdicts.items():
            self.audits.append(
                FINDING,
                {'trial_id': name, 'attempt': index, 'auditor': 'held_out', 'says': says},
            )
