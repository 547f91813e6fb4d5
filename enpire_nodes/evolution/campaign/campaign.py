"""The campaign as agent and node see it: jobs come in, trials go out, results come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
import threading
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution import journal as kinds
from enpire_nodes.evolution.campaign import budgets, recovery
from enpire_nodes.evolution.campaign.artifacts import Artifacts
from enpire_nodes.evolution.campaign.background import Background
from enpire_nodes.evolution.campaign.book import CampaignBook, OVER
from enpire_nodes.evolution.campaign.evidence import Evidence
from enpire_nodes.evolution.campaign.holds import Holds, RETRIED
from enpire_nodes.evolution.campaign.jobs import Jobs
from enpire_nodes.evolution.campaign.proposals import Ending, Proposals
from enpire_nodes.evolution.campaign.recipes import Recipes
from enpire_nodes.evolution.campaign.results import results_of
from enpire_nodes.evolution.campaign.schedule import AGENT, PROPOSED, Schedule, Slice, STATION
from enpire_nodes.evolution.campaign.settings import CampaignSettings
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.journal import Journal, research_directory
from enpire_nodes.evolution.records import CampaignRecord, IdeaRecord, Job, JobKind, JobState
from enpire_nodes.rollout.ledger import LedgerReader

#: Codes that say: this recipe cannot be run, whatever the station does.
_POLICY = range(300, 400)
#: Codes that say: this is not the environment any more that the campaign is about.
_ENVIRONMENT = range(900, 1000)
_FUTILE = 3  # trials of a job in a row that came to nothing after which it is given up


class Campaign:
    """One research run; thread-safe.

    The journal and the ledger are its state: a new object on the same run goes on where the last
    one was.

    :param run: the run directory of the station.
    :param key: with which the station signs its results.
    :param log: hears what a person should know.
    """

    def __init__(
        self,
        run: Path,
        hub: Hub,
        *,
        key: Ed25519PrivateKey,
        settings: CampaignSettings,
        log: Callable[[str], None] = lambda words: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.run, self.hub, self.settings = Path(run), hub, settings
        self._key, self._log = key, log
        self.changed = threading.Condition(threading.RLock())
        self.book = CampaignBook(Journal(self.run))
        self.book.read()
        self.artifacts = Artifacts(research_directory(self.run) / 'artifacts')
        self.recipes = Recipes(hub, research_directory(self.run) / 'recipes', self.artifacts)
        self.evidence = Evidence(LedgerReader(self.run), self.book.began_ns)
        self.evidence.read()
        self.schedule = Schedule(self.evidence.done)
        self.jobs = Jobs(self.book, self.evidence, self.schedule, self.recipes)
        self.proposals = Proposals(self.book, self.evidence)
        self.background = Background(self.book, self.evidence, settings)
        self.holds = Holds(clock)
        self.stopping = ''
        self.certified = recovery.certified(self.book)
        self._recovered = self.book.campaign is None
        self.broken: StationError | None = None
        self._warned: set[tuple[str, str]] = set()
        self._unsigned = recovery.unsigned(self.book)
        self._running: Slice | None = None
        for job in self.book.open_jobs():
            self.schedule.add(job)

    # -- begin and end ------------------------------------------------------------------------

    def begin(self, record: CampaignRecord) -> None:
        """Begin a campaign, or find that it is the one that was begun.

        :raises StationError: SUPERVISOR_BAD_REQUEST, the run holds another one.
        """
        with self.changed:
            known = self.book.campaign
            if known is None:
                self.book.write(replace(record, base=record.base or self.hub.main))
                self.evidence.since_ns = self.book.began_ns
            elif known.campaign != record.campaign:
                raise StationError(
                    ErrorCode.SUPERVISOR_BAD_REQUEST,
                    f'{self.run} holds the campaign {known.campaign!r}: a run holds one; give '
                    'that name to go on with it, or bring the station up with another --run',
                )
            elif self.book.finished is not None:
                raise StationError(
                    ErrorCode.SUPERVISOR_BAD_REQUEST,
                    f'the campaign {known.campaign!r} is over: {self.book.finished["message"]}; '
                    'bring the station up with another --run',
                )

    def finish(self, outcome: str, message: str) -> None:
        """Write down that the campaign is over."""
        with self.changed:
            self.evidence.read()
            self.book.note(
                kinds.FINISHED, outcome=outcome, message=message, ledger_head=self.evidence.head
            )
            self.changed.notify_all()

    def close(self) -> None:
        """Close the ledger."""
        self.evidence.ledger.close()

    @property
    def record(self) -> CampaignRecord:
        """What was asked for."""
        return self.book.campaign

    @property
    def busy(self) -> bool:
        """Whether the robot runs a trial for it now."""
        return self._running is not None

    # -- for the robot ------------------------------------------------------------------------

    def next_slice(self) -> Slice | None:
        """Return the trial to be run now; None when there is none, or the robot may not."""
        with self.changed:
            if self.stopping or self.broken or self.holds.words() or self.book.finished:
                return None
            chosen = self.schedule.next()
            if chosen is None:
                self._wish()
                chosen = self.schedule.next()
            if chosen is not None:
                self._running = chosen
                if self.book.state(chosen.job.job_id) is JobState.QUEUED:
                    self.book.change(chosen.job.job_id, JobState.RUNNING)
            return chosen

    def slice_ended(self, piece: Slice, code: ErrorCode, message: str) -> None:
        """Hear how a trial went; what it brought is in the ledger.

        :param code: NONE when the runner did what it was asked.
        """
        with self.changed:
            self._running = None
            if code is ErrorCode.NONE:
                self.holds.release(*RETRIED)
            elif int(code) in _ENVIRONMENT:
                self.broken = StationError(code, message)
            elif int(code) in _POLICY:
                self._end(piece.job, JobState.FAILED, message)
            else:
                self.holds.refused(code, message)
            self._advance()

    def tick(self) -> None:
        """Do what is due: end jobs, judge proposals, look at the budgets."""
        with self.changed:
            self._advance()

    def used(self) -> budgets.Used:
        """Return what was used so far."""
        with self.changed:
            return budgets.Used(
                tokens=self.book.charged_tokens,
                money=self.book.charged_money,
                wall_clock=(time.time_ns() - self.book.began_ns) / 1e9,
                robot_time=self.evidence.robot_seconds,
                trials=self.evidence.started,
            )

    def budget_states(self) -> list[budgets.BudgetState]:
        """Return the state of every budget with a limit, the most used first."""
        return budgets.states(self.record.budgets, self.used(), currency=self.record.currency)

    def heard(self, idea: IdeaRecord) -> None:
        """Write down a commit that the hub has taken."""
        with self.changed:
            if idea.commit not in self.book.ideas:
                self.book.write(idea)

    # -- for the desk -------------------------------------------------------------------------

    def submit(self, kind: JobKind, recipes: list[tuple[str, str]], **wanted: Any) -> Job:
        """Queue a job for the agent.

        :raises StationError: SUPERVISOR_JOB_REFUSED, SUPERVISOR_BUDGET_USED, or as of
            :meth:`Jobs.make`.
        """
        with self.changed:
            self._may_ask(wanted['trials'] * len(recipes))
            job = self.jobs.make(kind, AGENT, recipes, **wanted)
            self.changed.notify_all()
            return job

    def cancel(self, job_id: str) -> Job:
        """Cancel a job of the agent; the trial under way is finished: its scene comes next.

        :raises StationError: SUPERVISOR_JOB_REFUSED, it is the station's, or a proposal that has
            begun: whoever ended those that look bad would choose among them by luck.
        """
        with self.changed:
            job = self.job(job_id)
            state = self.book.state(job_id)
            if state not in OVER:
                if job.requester != AGENT:
                    raise _refused(f'{job_id} is a test of the station; it yields to your own')
                if job.kind in PROPOSED and state is not JobState.QUEUED:
                    raise _refused(f'{job_id} has begun, and is run to its end')
                self._end(job, JobState.CANCELED, 'canceled')
            return job

    def job(self, job_id: str) -> Job:
        """Return a job.

        :raises StationError: SUPERVISOR_JOB_UNKNOWN.
        """
        job = self.book.jobs.get(job_id)
        if job is None:
            raise StationError(
                ErrorCode.SUPERVISOR_JOB_UNKNOWN,
                f'there is no job {job_id!r}; `enpire status` lists them',
            )
        return job

    def wait(self, job_id: str, seconds: float) -> Job:
        """Wait until a job is over, or ``seconds`` have passed."""
        deadline = time.monotonic() + seconds
        with self.changed:
            job = self.job(job_id)
            while self.book.state(job_id) not in OVER:
                left = deadline - time.monotonic()
                if left <= 0.0 or not self.changed.wait(left):
                    break
            return job

    # -- within -------------------------------------------------------------------------------

    def _may_ask(self, trials: int) -> None:
        why = self.stopping or budgets.spent(
            self.record.budgets, self.used(), currency=self.record.currency
        )
        if why:
            raise StationError(ErrorCode.SUPERVISOR_BUDGET_USED, f'no more trials: {why}')
        queued = sum(
            self.schedule.left(job)
            for job in self.schedule.jobs.values()
            if job.requester == AGENT and job.kind not in PROPOSED
        )
        if queued + trials > self.settings.most_queued:
            raise StationError(
                ErrorCode.SUPERVISOR_JOB_REFUSED,
                f'{queued} trials of yours are queued already, and {self.settings.most_queued} '
                'may be; wait for them, or cancel some',
            )

    def _advance(self) -> None:
        if self.evidence.read():
            self.changed.notify_all()
        if not self._recovered:
            for job, ending in list(recovery.swallowed(self.book, self.proposals)):
                self._follow(job, ending)
            self._recovered = True
        for job in self.book.open_jobs():
            if not self.schedule.left(job) or self.proposals.spoilt(job):
                self._conclude(job)
                continue
            pointless = self.proposals.pointless(job) or self._futile(job)
            if pointless:
                state = JobState.DONE if job.kind is JobKind.RETEST else JobState.CANCELED
                self._end(job, state, pointless)
        self._look_at_budgets()

    def _conclude(self, job: Job) -> None:
        ending = self.proposals.ending(job)
        self._end(job, JobState.DONE, ending.words)
        self._recovered = False  # should what follows fail, it is tried again
        self._follow(job, ending)
        self._recovered = True

    def _follow(self, job: Job, ending: Ending) -> None:
        if ending.confirm:
            self._confirm(job.recipe)
        if ending.promotion is not None:
            self.hub.promote(ending.promotion, key=self._key)
            self.book.write(ending.promotion)
            self._log(f'main moves to {ending.promotion.commit[:10]}: {ending.words}')
        self.certified = self.certified or ending.certified

    def _confirm(self, recipe: tuple[str, str]) -> Job:
        return self.jobs.make(
            JobKind.CONFIRM,
            AGENT,
            [recipe],
            trials=self.record.confirmation_trials,
            attempts=self.settings.confirmation_attempts,
            words='a confirmation block: all of it or nothing',
        )

    def propose(self, recipe: tuple[str, str]) -> Job:
        """Re-test a recipe against ``main`` on fresh seeds, then confirm it if that holds.

        :raises StationError: SUPERVISOR_JOB_REFUSED, it is ``main``, or it is being re-tested.
        """
        with self.changed:
            incumbent = self.book.incumbent()
            self._may_ask(0)
            if recipe == incumbent:
                raise _refused('this recipe is main already')
            for job in self.book.open_jobs():
                asked = job.requester == AGENT and job.kind in PROPOSED
                if asked and job.recipe == recipe:
                    raise _refused(f'it is being tested already: {job.job_id}')
            if not incumbent[1] and self.recipes.needs_weights(incumbent[0]):
                return self._confirm(recipe)  # main cannot be run, so there is nothing to beat
            job = self.jobs.make(
                JobKind.RETEST,
                AGENT,
                [recipe, incumbent],
                trials=self.settings.retest_trials,
                words='proposed: re-tested against main on fresh seeds',
            )
            self.changed.notify_all()
            return job

    def _wish(self) -> None:
        wish = self.background.wish(self.record.budgets)
        if wish is None:
            return
        try:
            self.jobs.make(
                wish.kind, STATION, wish.recipes, trials=wish.trials, words='while the agent works'
            )
        except StationError as error:
            self._log(f'no background work: {error}')

    def _end(self, job: Job, state: JobState, message: str) -> None:
        self.book.change(job.job_id, state, message)
        self.schedule.remove(job.job_id)
        self._log(f'{job.job_id}: {state.name.lower()}: {message}')
        for result in results_of(job, self.evidence, stamp_ns=time.time_ns()):
            if not self._sign(result):
                self.book.note(kinds.RESULT, **result)
                self._unsigned.append(result)
        self.changed.notify_all()

    def _sign(self, result: dict[str, Any]) -> bool:
        try:
            signed = self.hub.add_result(self.record.station, result['commit'], result, self._key)
        except StationError as error:
            self._log(f'a result is not in the hub yet, and stays in the journal: {error}')
            return False
        self.book.note(kinds.RESULT, **signed)
        return True

    def deliver(self) -> None:
        """Try again to put into the hub what it did not take."""
        with self.changed:
            self._unsigned = [result for result in self._unsigned if not self._sign(result)]

    def _futile(self, job: Job) -> str:
        for arm in job.arms:
            last = self.evidence.of(arm.request_id)[-_FUTILE:]
            if len(last) == _FUTILE and not any(trial.judged for trial in last):
                return f'given up, its last {_FUTILE} trials came to nothing: {last[-1].message}'
        return ''

    def _look_at_budgets(self) -> None:
        if self.book.campaign is None or self.book.finished:
            return
        for state in self.budget_states():
            event = 'used' if state.spent else 'warning' if state.share >= budgets.WARNING else ''
            if event and (state.name, event) not in self._warned:
                self._warned.add((state.name, event))
                self.book.note(
                    kinds.BUDGET, event=event, name=state.name, used=state.used, limit=state.limit
                )
                self._log(state.words())
            if state.spent and not self.stopping:
                self.stopping = state.words()
                self.changed.notify_all()


def _refused(words: str) -> StationError:
    return StationError(ErrorCode.SUPERVISOR_JOB_REFUSED, words)
