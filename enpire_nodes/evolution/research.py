"""One campaign with everything that it needs: hub, sockets, agent, accounts, report. No ROS."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
import math
from pathlib import Path
import time
from types import TracebackType

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract.signing import signing_key
from enpire_nodes.evolution import journal as kinds
from enpire_nodes.evolution.accounting.gpu import GpuSampler
from enpire_nodes.evolution.accounting.live import LiveAccounts, LiveTotals
from enpire_nodes.evolution.campaign.campaign import Campaign
from enpire_nodes.evolution.campaign.desk import CampaignDesk
from enpire_nodes.evolution.campaign.holds import STATION
from enpire_nodes.evolution.campaign.settings import CampaignSettings
from enpire_nodes.evolution.desk.server import DeskServer
from enpire_nodes.evolution.employment import Employment
from enpire_nodes.evolution.hub.socket import HubSocket
from enpire_nodes.evolution.hubs import Exchange, open_hub
from enpire_nodes.evolution.journal import Journal, research_directory
from enpire_nodes.evolution.records import CampaignRecord, JobState
from enpire_nodes.evolution.research_settings import ResearchSettings
from enpire_nodes.evolution.socket_folder import socket_folder
from enpire_nodes.evolution.view import Asked, Ended, ResearchView
from enpire_nodes.rollout.frozen import ENVIRONMENT
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.ledger.chain import NOTE
from enpire_nodes.rollout.run_directory import RunDirectory

_LEDGER = 60.0  # s for the runner to make its ledger
_NEWS = 1.0  # s between two looks at the hub
_GPU = 60.0  # s between two entries about the GPU


class Research:
    """A campaign at work; a context manager.

    :param run: the station's run directory.
    :param seed: of the station.
    :param log: hears what a person should know.
    """

    def __init__(
        self,
        run: Path,
        *,
        station: str,
        task: str,
        station_file: str,
        seed: int,
        settings: ResearchSettings,
        campaign_settings: CampaignSettings,
        log: Callable[[str], None],
    ) -> None:
        self._run, self._station, self._task = Path(run), station, task
        self._station_file, self._seed = station_file, seed
        self._settings, self._campaign_settings, self._log = settings, campaign_settings, log
        self._held = ExitStack()
        self._looked = {'hub': -math.inf, 'gpu': time.monotonic()}
        self._accounts = LiveAccounts()
        self._entries = 0  # of the journal, that the accounts have heard of
        self._canceled = self._closed = False
        self._ended: Ended | None = None
        self.campaign: Campaign | None = None
        self._employment: Employment | None = None

    def __enter__(self) -> Research:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True  # whoever asks the robot meanwhile leaves off
        self._held.close()

    @staticmethod
    def under_way(run: Path) -> bool:
        """Whether a run holds a campaign that has not ended."""
        entries = [entry.kind for entry in Journal(run).news()]
        return kinds.CAMPAIGN in entries and kinds.FINISHED not in entries

    def begin(self, asked: Asked | None) -> None:
        """Begin a campaign, or go on with the one that was under way.

        :raises StationError: says what is missing; nothing of it was begun then.
        """
        directory = research_directory(self._run)
        directory.mkdir(parents=True, exist_ok=True)
        self._await_ledger()
        key = signing_key()
        hub = open_hub(self._settings.hub, directory / 'hub.git', self._task, log=self._log)
        self.hub = hub
        campaign = Campaign(
            self._run, hub, key=key, settings=self._campaign_settings, log=self._log
        )
        self._held.callback(campaign.close)
        sockets = self._held.enter_context(socket_folder(directory))
        if asked is not None:
            record = self._record(asked)
            employment = self._employ(campaign, record, sockets)
            campaign.begin(replace(record, currency=employment.currency))
        else:
            employment = self._employ(campaign, campaign.record, sockets)
        self.campaign = campaign
        exchange = self._held.enter_context(
            Exchange(hub, self._settings.upstream, station=self._station, log=self._log)
        )
        self.desk = CampaignDesk(campaign, exchange.digest)
        for server in (
            DeskServer(sockets / 'trial.sock', self.desk),
            HubSocket(sockets / 'hub.sock', hub, self._station),
        ):
            server.start()
            self._held.callback(server.close)
        self._gpu = GpuSampler()
        self._gpu.start()
        self._held.callback(self._gpu.close)
        self._employment = employment
        employment.start(self.desk)
        self._held.callback(employment.close)

    # -- while it runs ------------------------------------------------------------------------

    def tick(self) -> Ended | None:
        """Do what is due; return how the campaign ended, once it has."""
        self._ended = self._due()  # from then on no further trial is asked for
        return self._ended

    def _due(self) -> Ended | None:
        campaign, employment = self.campaign, self._employment
        campaign.tick()
        self._hear_hub()
        self._look_at_gpu()
        if self._canceled:
            return Ended('CANCELED', ErrorCode.SUPERVISOR_CANCELED, 'stopped on request')
        if campaign.certified:
            promotion = campaign.book.promotions[-1]
            words = (
                f'certified: {promotion.successes} of {promotion.trials}, '
                f'at least {promotion.lower:.1%}'
            )
            return Ended('CERTIFIED', ErrorCode.NONE, words)
        if campaign.broken is not None:
            return Ended('STOPPED', campaign.broken.code, campaign.broken.message)
        if campaign.stopping:
            return Ended('BUDGET_USED', ErrorCode.NONE, campaign.stopping)
        if campaign.holds.stops_agent:
            employment.pause()
        else:
            employment.resume()
        failure = employment.tick()
        if failure is not None and not campaign.book.open_jobs():
            return Ended('STOPPED', failure.code, failure.message)
        return None

    def conclude(self, ended: Ended) -> Ended:
        """Stop the agent, write everything down, and make the report."""
        from enpire_nodes.evolution.report.report import write_report

        campaign = self.campaign
        self._employment.stop()
        with campaign.changed:
            campaign.stopping = campaign.stopping or ended.message
            for job in campaign.book.open_jobs():
                campaign.book.change(job.job_id, JobState.CANCELED, 'the campaign is over')
        self._hear_hub(now=True)
        campaign.finish(ended.outcome, ended.message)
        view = self.view()
        report = ''
        try:
            report = str(write_report(self._run))
        except Exception as error:  # noqa: BLE001 - the campaign is over all the same
            self._log(f'the report is not written: {type(error).__name__}: {error}; '
                      f'`enpire report {self._run}` tries again')  # fmt: skip
        self._ended = Ended(
            ended.outcome, ended.code, ended.message, view.best_commit, view.best_rate,
            view.best_lower, report,
        )  # fmt: skip
        return self._ended

    def cancel(self) -> None:
        """End the campaign at its next safe point."""
        self._canceled = True

    def hold(self, reason: str, words: str) -> None:
        """Ask the robot for nothing until :meth:`release`."""
        with self.campaign.changed:
            self.campaign.holds.hold(reason, words)

    def hold_station(self, words: str) -> None:
        """Ask the robot for nothing for a moment."""
        self.hold(STATION, words)

    def release(self) -> None:
        """Go on."""
        with self.campaign.changed:
            self.campaign.holds.release()
            self.campaign.changed.notify_all()

    @property
    def over(self) -> bool:
        """Whether no further trial shall be asked for."""
        return self._ended is not None or self._closed

    @property
    def campaign_name(self) -> str:
        """Name of the campaign."""
        return self.campaign.record.campaign

    @property
    def ideas(self) -> int:
        """How many ideas the hub has taken."""
        return len(self.campaign.book.ideas)

    def tree_picture(self) -> np.ndarray | None:
        """Draw the idea tree, (h, w, 3) uint8 RGB; None when it cannot be drawn."""
        from enpire_nodes.evolution.tree.build import build_tree
        from enpire_nodes.evolution.tree.picture import tree_image

        try:
            return tree_image(build_tree(self._run))
        except Exception as error:  # noqa: BLE001 - a picture is not worth a campaign
            self._log(f'the idea tree is not drawn: {type(error).__name__}: {error}')
            return None

    def view(self) -> ResearchView:
        """Return where everything stands."""
        campaign, record = self.campaign, self.campaign.record
        with campaign.changed:
            totals = self._totals()
            states = campaign.budget_states()
            promotions = campaign.book.promotions
            commit = campaign.book.incumbent()[0]
            best = promotions[-1] if promotions else None
            name, message = self._state()
            return ResearchView(
                station=self._station,
                task=record.task,
                campaign=record.campaign,
                agent=record.agent,
                state=name,
                message=message,
                doing=self._employment.doing if self._employment else '',
                ideas=len(campaign.book.ideas),
                queued=campaign.schedule.waiting,
                trials=campaign.evidence.closed,
                best_commit=commit,
                best_rate=best.successes / best.trials if best else math.nan,
                best_lower=best.lower if best else 0.0,
                budget_share=states[0].share if states else 0.0,
                budget_name=states[0].name if states else '',
                tokens=totals.tokens,
                tokens_per_minute=sum(totals.tokens_per_minute.values()),
                price=totals.price if not totals.unpriced else math.nan,
                gpu=totals.gpu,
                robot_seconds=campaign.evidence.robot_seconds,
                human_seconds=totals.human_seconds,
                report=self._ended.report if self._ended else '',
            )

    # -- within -------------------------------------------------------------------------------

    def _record(self, asked: Asked) -> CampaignRecord:
        if asked.task and asked.task != self._task:
            raise StationError(
                ErrorCode.SUPERVISOR_BAD_REQUEST,
                f'this station works on {self._task!r}, not on {asked.task!r}',
            )
        frozen = self._frozen()
        if self._settings.require_frozen and not frozen:
            raise StationError(
                ErrorCode.SUPERVISOR_BAD_REQUEST,
                'the environment of this station is not frozen, so that nobody could tell what a '
                'success means: freeze it (`enpire freeze`) and bring the station up with '
                '--manifest, or set require_frozen of agent_supervisor to false',
            )
        name = asked.campaign or f'{self._task}-{time.strftime("%Y%m%d-%H%M%S", time.gmtime())}'
        return CampaignRecord(
            campaign=name,
            station=self._station,
            task=self._task,
            agent=asked.agent,
            model=asked.model or self._settings.model,
            target=asked.target,
            confirmation_trials=asked.confirmation_trials,
            budgets=asked.budgets,
            hub=str(self.hub.path),
            environment_digest=frozen,
            base=self.hub.main,
        )

    def _employ(self, campaign: Campaign, record: CampaignRecord, sockets: Path) -> Employment:
        return Employment(
            campaign,
            record,
            directory=research_directory(self._run),
            sockets=sockets,
            station_file=self._station_file,
            seed=self._settings.researcher_seed or self._seed,
            settings=self._settings,
            log=self._log,
        )

    def _await_ledger(self) -> None:
        deadline = time.monotonic() + _LEDGER
        while not RunDirectory(self._run).ledger.is_file():
            if time.monotonic() > deadline:
                raise StationError(
                    ErrorCode.RUNNER_STATION_NOT_READY,
                    f'the trial runner has made no ledger in {self._run}; is the station up?',
                )
            time.sleep(0.1)

    def _frozen(self) -> str:
        with LedgerReader(self._run) as ledger:
            notes = [entry.data for entry in ledger.entries(NOTE)]
        found = [str(note[ENVIRONMENT] or '') for note in notes if ENVIRONMENT in note]
        return found[-1] if found else ''

    def _hear_hub(self, *, now: bool = False) -> None:
        if not now and time.monotonic() - self._looked['hub'] < _NEWS:
            return
        self._looked['hub'] = time.monotonic()
        try:
            for idea in self.hub.ideas():
                self.campaign.heard(idea)
            self.campaign.deliver()
        except StationError as error:
            self._log(f'the hub cannot be read now: {error}')

    def _look_at_gpu(self) -> None:
        if time.monotonic() - self._looked['gpu'] < _GPU:
            return
        self._looked['gpu'] = time.monotonic()
        sample = self._gpu.take()
        if math.isfinite(sample.share):
            self.campaign.book.journal.note(kinds.GPU, **sample.data())

    def _totals(self) -> LiveTotals:
        book = self.campaign.book
        book.read()
        self._accounts.feed_journal(book.entries[self._entries :])
        self._entries = len(book.entries)
        return self._accounts.totals(time.time_ns())

    def _state(self) -> tuple[str, str]:
        campaign = self.campaign
        if self._ended is not None:
            failed = self._ended.outcome == 'STOPPED'
            return ('FAILED' if failed else 'FINISHED'), self._ended.message
        held = campaign.holds.words()
        if held:
            return 'PAUSED', held
        return self._employment.state(waiting=campaign.schedule.waiting > 0)
