"""The supervisor's node with a real agent in its sandbox, and a robot on paper."""

from __future__ import annotations

from pathlib import Path
import threading

from goal_support import offer, result_of
from paper_runner import PaperRunner
import pytest
from rclpy.action import ActionClient
from std_srvs.srv import Trigger

from enpire_msgs.action import RunResearch
from enpire_msgs.msg import ResearchStatus, SafetyState, Utilization
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.evolution.agent_supervisor import AgentSupervisor
from enpire_nodes.evolution.campaign.book import CampaignBook
from enpire_nodes.evolution.hub import maintenance
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.hub.seed import seed_files
from enpire_nodes.evolution.journal import Journal, research_directory
from enpire_nodes.evolution.research import Research
from enpire_nodes.evolution.researcher.start import make_start
from enpire_nodes.ros import qos

pytestmark = [pytest.mark.ros, pytest.mark.timeout(180)]

ENDS = (ResearchStatus.FINISHED, ResearchStatus.FAILED)
LONG = 90.0  # s; a busy machine needs a while to start an agent in its sandbox


class Bench:
    """A supervisor, a runner on paper, and a client."""

    def __init__(self, ros, run: Path) -> None:
        self.ros, self.run = ros, run
        seed = run.parent / 'seed'
        seed_files(seed, 'pin_insertion')
        make_start(seed)
        self.hub = Hub.create(research_directory(run) / 'hub.git', seed=seed)
        self.runner = ros.within(
            lambda: ros.add(
                PaperRunner(run, namespace='/station_1', context=ros.context,
                            use_global_arguments=False)
            )
        )  # fmt: skip
        self.statuses = ros.collect(ResearchStatus, 'research_status', qos.LATCHED)
        self.utilizations = ros.collect(Utilization, 'utilization', qos.LATCHED)
        self.client = ros.within(lambda: ActionClient(ros.node, RunResearch, 'run_research'))
        self.start()

    def start(self, **parameters) -> None:
        values = {
            'run_directory': str(self.run),
            'require_frozen': False,
            'retest_trials': 10,
            'confirmation_attempts': 1,
            'researcher_seed': 3,
        }
        self.supervisor = self.ros.make(AgentSupervisor, **{**values, **parameters})

    def end(self) -> None:
        """End the supervisor; returns when clients have seen that its action is gone."""
        self.ros.wait_until(lambda: self.supervisor.active, what='an active supervisor')
        self.supervisor.close()
        self.ros.within(self.supervisor.cleanup)
        self.ros.remove(self.supervisor)
        self.ros.wait_until(
            lambda: not self.client.server_is_ready(), LONG, 'the end of the action'
        )

    def send(self, **fields):
        goal = RunResearch.Goal(
            **{
                'agent': 'builtin', 'campaign': 'c1', 'target_success_rate': 0.8,
                'confirmation_trials': 20, 'budget_trials': 400, **fields,
            }
        )  # fmt: skip
        return offer(self.ros, RunResearch, 'run_research', goal)

    def result(self, handle, timeout: float = LONG) -> RunResearch.Result:
        return result_of(self.ros, handle, timeout).result

    def wait_trials(self, count: int) -> None:
        self.ros.wait_until(lambda: len(self.runner.goals) >= count, LONG, f'{count} trials')

    @property
    def state(self) -> int:
        return self.statuses[-1].state if self.statuses else ResearchStatus.UNSET

    def call(self, name: str) -> Trigger.Response:
        return self.ros.call(Trigger, f'/station_1/agent_supervisor/{name}')

    def book(self) -> CampaignBook:
        book = CampaignBook(Journal(self.run))
        book.read()
        return book


@pytest.fixture
def bench(ros, tmp_path, monkeypatch) -> Bench:
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    bench = Bench(ros, tmp_path / 'run')
    yield bench
    bench.supervisor.close()
    bench.runner.close()


def test_a_campaign_of_the_builtin_agent_runs_to_its_end(bench):
    result = bench.result(bench.send(budget_trials=60), timeout=150.0)
    # which end it is, the hashes of its commits decide: the robot on paper draws from them
    if result.outcome == RunResearch.Result.STOPPED:
        assert 'nothing left to try' in result.message
        assert result.error_code == ErrorCode.SUPERVISOR_AGENT_FAILED
    else:
        assert result.outcome in (
            RunResearch.Result.CERTIFIED, RunResearch.Result.BUDGET_USED,
        )  # fmt: skip
        assert result.error_code == ErrorCode.NONE
    assert Path(result.report).is_file()
    assert len(bench.hub.ideas()) >= 1
    book = bench.book()
    assert book.finished['message'] == result.message
    last = bench.ros.wait_until(
        lambda: [s for s in bench.statuses if s.state in ENDS],
        what='the final status',
    )[0]
    assert last.campaign == 'c1'
    assert last.trials >= 20
    agents = {goal.requester for goal in bench.runner.goals}
    assert 'agent' in agents
    assert all(goal.at_most == 1 for goal in bench.runner.goals)
    assert bench.utilizations[-1].executing == 1.0  # the runner's report is passed on
    assert bench.supervisor.diagnostics() == {'campaign': 'none'}


@pytest.mark.parametrize(
    ('fields', 'words'),
    [
        ({'budget_trials': 0}, 'budget'),
        ({'target_success_rate': 1.0}, 'between 0 and 1'),
        ({'target_success_rate': 0.99}, 'more trials'),
        ({'confirmation_trials': 0}, 'at least 1'),
        ({'task': 'zip_tie'}, 'zip_tie'),
        ({'agent': 'nobody'}, 'nobody'),
        ({'campaign': 'a b'}, 'name'),
    ],
)
def test_a_goal_that_cannot_be_served_is_refused_and_begins_nothing(bench, fields, words):
    result = bench.result(bench.send(**fields))
    assert result.outcome == RunResearch.Result.STOPPED
    assert words in result.message
    assert bench.book().campaign is None
    assert bench.runner.goals == []


def test_an_environment_that_is_not_frozen_is_refused_unless_allowed(bench):
    bench.end()
    bench.start(require_frozen=True)
    result = bench.result(bench.send())
    assert 'frozen' in result.message
    assert bench.runner.goals == []


def test_a_goal_can_be_canceled_and_what_was_done_stays(bench, ros):
    handle = bench.send()
    bench.wait_trials(3)
    ros.within(handle.cancel_goal_async)
    result = bench.result(handle)
    assert result.outcome == RunResearch.Result.CANCELED
    assert Path(result.report).is_file()
    count = len(bench.runner.goals)
    assert bench.book().finished['outcome'] == 'CANCELED'
    again = bench.result(bench.send())
    assert 'over' in again.message
    assert len(bench.runner.goals) == count


def test_a_second_campaign_is_refused_while_one_is_under_way(bench):
    handle = bench.send()
    bench.wait_trials(1)
    refused = bench.send(campaign='another')
    assert not refused.accepted
    bench.ros.wait_until(lambda: len(bench.runner.goals) >= 3, LONG, 'more trials')
    handle.cancel_goal_async()
    bench.result(handle)


def test_pause_and_resume(bench):
    handle = bench.send()
    bench.wait_trials(2)
    assert bench.call('pause').success
    bench.ros.wait_until(lambda: bench.state == ResearchStatus.PAUSED, what='a paused campaign')
    held = len(bench.runner.goals)
    bench.ros.wait_until(
        lambda: any(
            e.kind == 'agent' and e.data['event'] == 'paused' for e in bench.book().entries
        ),
        what='the pause in the journal',
    )
    assert len(bench.runner.goals) <= held + 1
    assert bench.call('resume').success
    bench.wait_trials(held + 3)
    handle.cancel_goal_async()
    bench.result(handle)


def test_an_emergency_stop_pauses_until_it_is_rearmed_and_a_person_goes_on(bench, ros):
    handle = bench.send()
    bench.wait_trials(2)
    ros.within(lambda: bench.runner.tell(SafetyState.ESTOPPED))
    bench.ros.wait_until(lambda: bench.state == ResearchStatus.PAUSED, what='a paused campaign')
    answer = bench.call('resume')
    assert not answer.success
    assert 'rearm' in answer.message
    held = len(bench.runner.goals)
    ros.within(lambda: bench.runner.tell(SafetyState.HOLDING))
    bench.ros.wait_until(lambda: bench.call('resume').success, what='leave to go on')
    bench.wait_trials(held + 2)
    handle.cancel_goal_async()
    bench.result(handle)


def test_without_a_campaign_there_is_nothing_to_pause(bench):
    assert not bench.call('pause').success
    assert not bench.call('resume').success


def test_a_supervisor_that_ended_goes_on_by_itself_when_it_is_back(bench, ros):
    bench.send()
    bench.wait_trials(4)
    bench.supervisor.close()
    ros.remove(bench.supervisor)
    assert bench.book().finished is None
    before = len(bench.runner.goals)
    bench.start()
    bench.wait_trials(before + 4)
    handle = bench.send()  # the client that lost it sends the same goal again
    handle.cancel_goal_async()
    result = bench.result(handle)
    assert result.outcome == RunResearch.Result.CANCELED
    with_records = bench.book()
    assert with_records.campaign.campaign == 'c1'


def test_a_goal_that_comes_back_before_its_campaign_does_begins_no_second_one(bench, monkeypatch):
    bench.send()
    bench.wait_trials(2)
    bench.end()
    go_on, begun, begin = threading.Event(), [], Research.begin

    def slowly(research, asked):
        assert go_on.wait(LONG)
        begun.append(asked)
        begin(research, asked)

    monkeypatch.setattr(Research, 'begin', slowly)
    before = len(bench.runner.goals)
    bench.start()
    try:
        early = bench.send()
    finally:
        go_on.set()
    assert not early.accepted
    bench.wait_trials(before + 2)
    handle = bench.send()
    handle.cancel_goal_async()
    assert bench.result(handle).outcome == RunResearch.Result.CANCELED
    assert begun == [None]


def test_a_lock_that_a_killed_process_left_in_the_hub_stops_nothing(bench, monkeypatch):
    monkeypatch.setattr(maintenance, 'LOCK_AGE', 0.2)
    stale = bench.hub.path / 'refs' / 'heads' / 'main.lock'
    stale.touch()
    bench.send()
    bench.wait_trials(1)
    assert not stale.exists()


def test_trouble_with_the_hub_is_told_and_outlived(bench, monkeypatch):
    from enpire_nodes.common.errors import StationError
    from enpire_nodes.evolution.campaign.campaign import Campaign

    handle = bench.send()
    bench.wait_trials(2)
    real, troubles = Campaign.tick, []

    def tick(campaign):
        if len(troubles) < 2:
            troubles.append(1)
            raise StationError(ErrorCode.HUB_GIT_FAILED, 'main is locked')
        real(campaign)

    monkeypatch.setattr(Campaign, 'tick', tick)
    bench.ros.wait_until(lambda: len(troubles) == 2, LONG, 'the trouble')
    bench.wait_trials(len(bench.runner.goals) + 2)
    handle.cancel_goal_async()
    assert bench.result(handle).outcome == RunResearch.Result.CANCELED


def test_trouble_that_does_not_end_ends_the_campaign_in_words(bench, monkeypatch):
    from enpire_nodes.common.errors import StationError
    from enpire_nodes.evolution import agent_supervisor
    from enpire_nodes.evolution.campaign.campaign import Campaign

    def tick(campaign):
        raise StationError(ErrorCode.HUB_GIT_FAILED, 'the disk is full')

    monkeypatch.setattr(agent_supervisor, '_TROUBLE', 0.5)
    handle = bench.send()
    bench.wait_trials(1)
    monkeypatch.setattr(Campaign, 'tick', tick)
    result = bench.result(handle)
    assert result.outcome == RunResearch.Result.STOPPED
    assert result.error_code == ErrorCode.HUB_GIT_FAILED
    assert 'disk is full' in result.message
    assert bench.book().finished is None  # it is gone on with when that is mended
