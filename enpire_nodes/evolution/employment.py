"""An agent at work on a campaign: its lodging, its model behind the proxy, and its keeper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.files import config_file
from enpire_nodes.evolution import journal as kinds
from enpire_nodes.evolution.agents import tree
from enpire_nodes.evolution.agents.interface import AgentTask, EventKind
from enpire_nodes.evolution.agents.keeper import AgentKeeper, KeeperSettings, KeeperState
from enpire_nodes.evolution.agents.life import launcher
from enpire_nodes.evolution.agents.registry import adapter
from enpire_nodes.evolution.agents.watchdog import Activity
from enpire_nodes.evolution.campaign.campaign import Campaign
from enpire_nodes.evolution.campaign.desk import CampaignDesk
from enpire_nodes.evolution.facts import facts
from enpire_nodes.evolution.lodging import Lodging, MODEL_PORT, must_be_sandboxed
from enpire_nodes.evolution.metering.key import ModelKey
from enpire_nodes.evolution.metering.prices import PriceList
from enpire_nodes.evolution.metering.proxy import MeteringProxy
from enpire_nodes.evolution.records import CampaignRecord, JobKind, ModelCall
from enpire_nodes.evolution.research_settings import ResearchSettings

#: Where an adapter's model is served when nobody says otherwise.
_USUAL = {
    'claude': 'https://api.anthropic.com',
    'codex': 'https://api.openai.com/v1',
    'kimi': 'https://api.moonshot.ai/v1',
}
_DOWN = (0, 429, 500, 502, 503, 504, 529)  # of HTTP: the model did not serve


class Employment:
    """Runs one agent; everything that may be refused is refused when it is made.

    :param directory: ``<run>/research``.
    :param sockets: folder for the sockets that the agent is given.
    :param log: hears what a person should know.
    :raises StationError: SUPERVISOR_AGENT_UNKNOWN, SUPERVISOR_SANDBOX_MISSING,
        SUPERVISOR_KEY_MISSING, SUPERVISOR_BAD_REQUEST.
    """

    def __init__(
        self,
        campaign: Campaign,
        record: CampaignRecord,
        *,
        directory: Path,
        sockets: Path,
        station_file: str,
        seed: int,
        settings: ResearchSettings,
        log: Callable[[str], None],
    ) -> None:
        self._campaign, self._settings, self._log = campaign, settings, log
        self._adapter = adapter(record.agent)
        self._boxed = must_be_sandboxed(
            external=self._adapter.external, allowed_without=settings.allow_unsandboxed
        )
        named = {name: sockets / f'{name}.sock' for name in ('trial', 'hub')}
        if self._adapter.external:
            named['model'] = sockets / 'model.sock'
        self._prices = PriceList.load(settings.price_file or config_file('prices.yaml'))
        self._proxy = self._make_proxy(named['model']) if 'model' in named else None
        self.lodging = Lodging(
            directory / 'agent', campaign.run, record.station, record.task, station_file, named
        )
        self._record, self._seed = record, seed
        self._log_file = directory / 'log' / 'agent.log'
        self._mark = f'enpire-{record.station}-{directory}'
        self._keeper: AgentKeeper | None = None
        self._held = ExitStack()
        self._last_status = 200

    @property
    def currency(self) -> str:
        """Of the prices; empty when there are none."""
        return self._prices.currency

    def start(self, desk: CampaignDesk) -> None:
        """Make the lodging, and begin to keep the agent; the sockets are there already."""
        tree.sweep(self._mark)  # what a supervisor that was killed left behind
        self.lodging.prepare(self._campaign.hub)
        if self._proxy is not None:
            self._proxy.start()
            self._held.callback(self._proxy.close)
        base_url = f'http://127.0.0.1:{MODEL_PORT}'
        self._adapter.prepare(self.lodging.home, model=self._record.model, base_url=base_url)
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        if self._adapter.external:
            version, warning = self._adapter.version()
            told = '; '.join(words for words in (version, warning) if words)
            self._note(f'{self._adapter.name}: {told or "its version is not known"}')
        task = AgentTask(
            prompt='',
            model=self._record.model,
            workdir=self.lodging.workspace,
            home=self.lodging.home,
            session=self._campaign.book.session,
            seed=self._seed,
        )
        self._keeper = AgentKeeper(
            self._adapter,
            task,
            make=launcher(
                self._adapter, base_url=base_url, log=self._log_file, wrap=self._wrap,
                mark=self._mark,
            ),
            facts=lambda: facts(desk),
            activity=self._activity,
            note=self._note,
            save_session=self._keep_session,
            settings=KeeperSettings(stall_after=self._settings.stall_after),
        )  # fmt: skip

    def tick(self) -> StationError | None:
        """Look after the agent; return why it was given up, once it was."""
        self._keeper.tick()
        if self._proxy is not None and self._proxy.fault:
            return StationError(ErrorCode.SUPERVISOR_SOCKET_FAILED, self._proxy.fault)
        return self._keeper.error

    def pause(self) -> None:
        """Hold the agent where it stands."""
        if self._keeper.state is not KeeperState.PAUSED:
            self._keeper.pause()
            self._agent('paused', self._campaign.holds.words())

    def resume(self) -> None:
        """Let the agent go on."""
        if self._keeper.state is KeeperState.PAUSED:
            self._keeper.resume()
            self._agent('resumed', '')

    def stop(self) -> None:
        """End the agent; returns when it is gone."""
        if self._keeper is not None and self._keeper.state is not KeeperState.STOPPED:
            self._keeper.stop()
            self._agent('ended', 'the campaign is over or its supervisor ends')

    def close(self) -> None:
        """End the agent and the proxy."""
        self.stop()
        self._held.close()

    @property
    def doing(self) -> str:
        """What the agent does now, in words."""
        if self._keeper is None:
            return 'is being started'
        if self._proxy is not None and self._proxy.in_flight:
            return 'thinks'
        event = self._keeper.last_event
        if event is not None and event.kind is EventKind.TOOL_STARTED:
            return f'runs {event.tool}: {" ".join(event.words.split())[:80]}'
        return self._keeper.state.value.replace('_', ' ')

    def state(self, *, waiting: bool) -> tuple[str, str]:
        """Return the state of the campaign, a name of ``ResearchStatus``, and words for it."""
        keeper = self._keeper
        if keeper is None:
            return 'STARTING', 'the agent is being started'
        if keeper.state is KeeperState.FAILED:
            return 'FAILED', keeper.error.message
        if keeper.state is KeeperState.BACKING_OFF and not waiting:
            return 'STALLED', 'the agent is started again'
        if keeper.state is KeeperState.STARTING:
            return 'STARTING', ''
        return ('WAITING_FOR_ROBOT' if waiting else 'THINKING'), ''

    # -- within -------------------------------------------------------------------------------

    def _wrap(
        self, argv: list[str], environment: Mapping[str, str]
    ) -> tuple[list[str], Mapping[str, str]]:
        self.lodging.unlock()
        if self._boxed:
            readable = self._adapter.requirements()
            return self.lodging.sandboxed(argv, environment, readable), {}
        return self.lodging.unprotected(argv, environment)

    def _make_proxy(self, socket: Path) -> MeteringProxy:
        settings = self._settings
        return MeteringProxy(
            socket,
            upstream=settings.model_url or _USUAL.get(self._adapter.name, ''),
            key=ModelKey.load(settings.model_key_variable, settings.model_key_file or None),
            gate=self._gate,
            record=self._called,
            prices=self._prices,
            hold=lambda: self._campaign.holds.stops_agent,
        )

    def _gate(self) -> str:
        campaign = self._campaign
        if campaign.stopping or campaign.certified:
            return campaign.stopping or 'the target is certified; stop'
        return next((state.words() for state in campaign.budget_states() if state.spent), '')

    def _called(self, call: ModelCall) -> None:
        self._last_status = call.status
        with self._campaign.changed:
            self._campaign.book.write(call)

    def _activity(self) -> Activity:
        campaign = self._campaign
        with campaign.changed:
            jobs = campaign.book.open_jobs()
            own = [job for job in campaign.book.jobs.values() if job.requester == 'agent']
            asked = [job for job in own if job.kind is not JobKind.CONFIRM]
            return Activity(
                in_flight=self._proxy.in_flight if self._proxy else 0,
                model_seen=self._proxy.last_activity if self._proxy else float('-inf'),
                jobs=sum(job.requester == 'agent' for job in jobs),
                progress=len(asked) + len(campaign.book.ideas),
                model_down=self._proxy is not None and self._last_status in _DOWN,
            )

    def _keep_session(self, session: str) -> None:
        with self._campaign.changed:
            self._campaign.book.note(kinds.AGENT, event='session', session=session)
            self._campaign.book.session = session

    def _note(self, words: str) -> None:
        self._log(words)
        self._agent('note', words)

    def _agent(self, event: str, words: str) -> None:
        with self._campaign.changed:
            self._campaign.book.note(kinds.AGENT, event=event, words=words[:1000])
