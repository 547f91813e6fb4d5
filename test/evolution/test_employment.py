"""An agent at work: what is refused before it starts, and what is told while it works."""

from __future__ import annotations

from collections.abc import Iterator

from campaign_bench import CampaignBench
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract.signing import signing_key
from enpire_nodes.evolution import employment as employment_module
from enpire_nodes.evolution import journal
from enpire_nodes.evolution.agents.interface import AgentEvent, EventKind
from enpire_nodes.evolution.agents.keeper import KeeperState
from enpire_nodes.evolution.campaign.holds import PERSON
from enpire_nodes.evolution.desk.views import TrialAsk
from enpire_nodes.evolution.employment import Employment
from enpire_nodes.evolution.records import Budgets, ModelCall, Tokens
from enpire_nodes.evolution.research_settings import ResearchSettings
from enpire_nodes.sandbox import bubblewrap
from enpire_nodes.sandbox.bubblewrap import Availability


class Office(CampaignBench):
    """A campaign, and employments on it."""

    def employ(self, agent: str = 'builtin', **settings) -> Employment:
        from dataclasses import replace

        if self.campaign is None:
            self.begin(budgets=Budgets(trials=100, tokens=1000))
        self.heard: list[str] = []
        return Employment(
            self.campaign,
            replace(self.campaign.record, agent=agent),
            directory=self.run / 'research',
            sockets=self.folder,
            station_file='',
            seed=3,
            settings=ResearchSettings(**settings),
            log=self.heard.append,
        )


@pytest.fixture
def office(tmp_path, monkeypatch) -> Iterator[Office]:
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    office = Office(tmp_path, signing_key())
    yield office
    office.close()


class Keeper:
    """A keeper whose state the test sets."""

    def __init__(self, state: KeeperState = KeeperState.RUNNING) -> None:
        self.state, self.error, self.last_event = state, None, None
        self.asked: list[str] = []

    def tick(self) -> None:
        self.asked.append('tick')

    def pause(self) -> None:
        self.state = KeeperState.PAUSED

    def resume(self) -> None:
        self.state = KeeperState.RUNNING

    def stop(self) -> None:
        self.state = KeeperState.STOPPED


def test_an_agent_that_nobody_has_installed_is_refused(office):
    with pytest.raises(StationError) as refusal:
        office.employ('nobody')
    assert refusal.value.code is ErrorCode.SUPERVISOR_AGENT_UNKNOWN


def test_without_bubblewrap_an_external_agent_is_refused_unless_allowed_in_words(
    office, monkeypatch
):
    monkeypatch.setattr(bubblewrap, 'availability', lambda: Availability(False, 'it is missing'))
    with pytest.raises(StationError, match='it is missing') as refusal:
        office.employ('claude')
    assert refusal.value.code is ErrorCode.SUPERVISOR_SANDBOX_MISSING
    assert 'allow_unsandboxed_agent' in refusal.value.message
    office.employ('claude', allow_unsandboxed=True)
    office.employ('builtin')  # it is a part of the station


def test_a_key_that_is_named_and_not_there_is_refused(office, monkeypatch):
    monkeypatch.delenv('NO_SUCH_KEY', raising=False)
    with pytest.raises(StationError) as refusal:
        office.employ('claude', model_key_variable='NO_SUCH_KEY')
    assert refusal.value.code is ErrorCode.SUPERVISOR_KEY_MISSING


def test_an_agent_of_acp_needs_the_address_of_its_model(office):
    with pytest.raises(StationError) as refusal:
        office.employ('acp:some-agent')
    assert refusal.value.code is ErrorCode.SUPERVISOR_BAD_REQUEST
    office.employ('acp:some-agent', model_url='http://127.0.0.1:1/v1')


def test_the_builtin_agent_needs_no_model_and_gets_no_socket_to_one(office):
    assert set(office.employ('builtin').lodging.sockets) == {'trial', 'hub'}
    assert set(office.employ('claude').lodging.sockets) == {'trial', 'hub', 'model'}


def test_the_gate_of_the_model_closes_with_the_budget_the_target_and_the_end(office):
    employed = office.employ('claude')
    assert employed._gate() == ''
    office.campaign.certified = True
    assert 'certified' in employed._gate()
    office.campaign.certified = False
    employed._called(ModelCall('c', 'messages', 'm', 1, 2, status=200, counted=True,
                               tokens=Tokens(1000), price=0.0))  # fmt: skip
    assert 'tokens' in employed._gate()
    assert [e for e in office.campaign.book.entries if e.kind == journal.CALL]


def test_the_state_is_that_of_the_agent_and_of_the_queue(office):
    employed = office.employ()
    assert employed.state(waiting=False)[0] == 'STARTING'
    assert employed.doing == 'is being started'
    employed._keeper = keeper = Keeper()
    assert employed.state(waiting=False)[0] == 'THINKING'
    assert employed.state(waiting=True)[0] == 'WAITING_FOR_ROBOT'
    keeper.state = KeeperState.BACKING_OFF
    assert employed.state(waiting=False)[0] == 'STALLED'
    assert employed.state(waiting=True)[0] == 'WAITING_FOR_ROBOT'
    keeper.state = KeeperState.FAILED
    keeper.error = StationError(ErrorCode.SUPERVISOR_AGENT_FAILED, 'it crashed')
    assert employed.state(waiting=True) == ('FAILED', 'it crashed')
    assert employed.tick() is keeper.error


def test_what_the_agent_does_is_told_in_one_line(office):
    employed = office.employ()
    employed._keeper = keeper = Keeper()
    keeper.last_event = AgentEvent(EventKind.TOOL_STARTED, 'enpire trial\n  wait ' + 'x' * 200,
                                   tool='Bash')  # fmt: skip
    assert employed.doing.startswith('runs Bash: enpire trial wait xxx')
    assert len(employed.doing) < 100
    keeper.last_event = AgentEvent(EventKind.THINKING)
    assert employed.doing == 'running'


def test_a_pause_is_told_once_and_so_is_its_end(office):
    employed = office.employ()
    employed._keeper = Keeper()
    office.campaign.holds.hold(PERSON, 'lunch')
    for _ in range(3):
        employed.pause()
    for _ in range(3):
        employed.resume()
    employed.stop()
    employed.stop()
    told = [e.data['event'] for e in office.campaign.book.entries if e.kind == journal.AGENT]
    assert told == ['paused', 'resumed', 'ended']


def test_progress_is_what_the_journal_says(office):
    employed = office.employ('claude')
    before = employed._activity()
    desk = office.begin(budgets=Budgets(trials=100, tokens=1000))
    employed = office.employ('claude')
    desk.submit(TrialAsk('main', trials=2))
    office.idea('One idea that is tested', 0.5)
    after = employed._activity()
    assert after.progress == before.progress + 2
    assert after.jobs == 1
    office.work()
    assert employed._activity().jobs == 0


@pytest.mark.parametrize(('status', 'down'), [(200, False), (402, False), (429, True), (0, True)])
def test_a_model_that_does_not_serve_is_not_the_agents_fault(office, status, down):
    employed = office.employ('claude')
    employed._called(ModelCall('c', 'messages', 'm', 1, 2, status=status))
    assert employed._activity().model_down is down


def test_a_proxy_that_can_keep_no_books_ends_the_employment(office, monkeypatch):
    employed = office.employ('claude')
    employed._keeper = Keeper()
    monkeypatch.setattr(type(employed._proxy), 'fault', property(lambda self: 'the disk is full'))
    error = employed.tick()
    assert error.code is ErrorCode.SUPERVISOR_SOCKET_FAILED
    assert 'disk is full' in error.message


def test_a_conversation_is_kept_for_the_next_supervisor(office):
    employed = office.employ()
    employed._keep_session('s7')
    office.begin(budgets=Budgets(trials=100, tokens=1000))
    assert office.campaign.book.session == 's7'


def test_every_adapter_that_ships_has_a_usual_model():
    assert set(employment_module._USUAL) == {'claude', 'codex', 'kimi'}
