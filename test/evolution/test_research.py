"""A campaign with all that it needs: how it begins, and how it ends, without ROS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from paper_station import PaperStation
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution import research as research_module
from enpire_nodes.evolution.campaign.settings import CampaignSettings
from enpire_nodes.evolution.journal import FINISHED, Journal
from enpire_nodes.evolution.records import Budgets
from enpire_nodes.evolution.report import report
from enpire_nodes.evolution.research import Research
from enpire_nodes.evolution.research_settings import ResearchSettings
from enpire_nodes.evolution.view import Asked, Ended


class Employed:
    """Stands for the agent: it does nothing, and never fails."""

    currency, doing = 'USD', 'thinks'

    def __init__(self, *args, **kwargs) -> None:
        self.stopped = False

    def start(self, desk) -> None:
        pass

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass

    def tick(self) -> None:
        return None

    def stop(self) -> None:
        self.stopped = True

    def close(self) -> None:
        self.stopped = True

    def state(self, *, waiting: bool) -> tuple[str, str]:
        return 'THINKING', ''


def asked(**changes) -> Asked:
    named = {
        'task': 'pin_insertion', 'agent': 'builtin', 'model': '', 'campaign': 'c1',
        'target': 0.8, 'confirmation_trials': 20, 'budgets': Budgets(trials=100),
    }  # fmt: skip
    return Asked(**{**named, **changes})


class Supervised:
    """A research in a run directory, and what it said."""

    def __init__(self, run: Path) -> None:
        self.run, self.said = run, []

    def research(self, **settings) -> Research:
        return Research(
            self.run, station='station_1', task='pin_insertion', station_file='', seed=3,
            settings=ResearchSettings(**{'require_frozen': False, **settings}),
            campaign_settings=CampaignSettings(background_share=0.0), log=self.said.append,
        )  # fmt: skip


@pytest.fixture
def bare(tmp_path, monkeypatch) -> Supervised:
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    monkeypatch.setattr(research_module, 'Employment', Employed)
    return Supervised(tmp_path / 'run')


@pytest.fixture
def station(bare) -> Iterator[PaperStation]:
    station = PaperStation(bare.run, lambda commit, seed: True)
    yield station
    station.close()


@pytest.fixture
def begun(bare, station) -> Iterator[Research]:
    with bare.research() as research:
        research.begin(asked())
        yield research


def test_a_campaign_ends_as_certified(begun):
    assert begun.tick() is None
    assert not begun.over
    begun.campaign.book.promotions.append(SimpleNamespace(successes=19, trials=20, lower=0.784))
    begun.campaign.certified = True
    ended = begun.tick()
    assert (ended.outcome, ended.code) == ('CERTIFIED', ErrorCode.NONE)
    assert ended.message == 'certified: 19 of 20, at least 78.4%'
    assert begun.over


def test_a_broken_campaign_ends_as_stopped_with_its_code(begun):
    begun.campaign.broken = StationError(ErrorCode.RUNNER_LEDGER_FAILED, 'an entry was changed')
    assert begun.tick() == Ended('STOPPED', ErrorCode.RUNNER_LEDGER_FAILED, 'an entry was changed')


def test_a_report_that_cannot_be_written_is_said_and_the_campaign_is_over(
    bare, begun, monkeypatch
):
    def fails(run: Path) -> Path:
        raise OSError('the disk is full')

    monkeypatch.setattr(report, 'write_report', fails)
    begun.cancel()
    ended = begun.conclude(begun.tick())
    assert (ended.outcome, ended.report) == ('CANCELED', '')
    assert any('OSError: the disk is full' in words for words in bare.said)
    assert [entry.kind for entry in Journal(bare.run).news()].count(FINISHED) == 1
    assert begun.over


def test_a_campaign_is_under_way_until_it_has_ended(bare, station):
    assert not Research.under_way(bare.run)
    with bare.research() as research:
        research.begin(asked())
    assert research.over
    assert Research.under_way(bare.run)  # as after a crash
    with bare.research() as research:
        research.begin(None)
        assert research.campaign_name == 'c1'
        research.cancel()
        research.conclude(research.tick())
    assert not Research.under_way(bare.run)


def test_without_a_ledger_nothing_begins(bare, monkeypatch):
    monkeypatch.setattr(research_module, '_LEDGER', 0.0)
    with bare.research() as research, pytest.raises(StationError, match='no ledger') as refusal:
        research.begin(asked())
    assert refusal.value.code is ErrorCode.RUNNER_STATION_NOT_READY
    assert not Research.under_way(bare.run)


def test_another_task_is_refused(bare, station):
    with bare.research() as research, pytest.raises(StationError) as refusal:
        research.begin(asked(task='gear_assembly'))
    assert refusal.value.code is ErrorCode.SUPERVISOR_BAD_REQUEST
    assert "'pin_insertion', not on 'gear_assembly'" in refusal.value.message
    assert not Research.under_way(bare.run)


def test_an_environment_that_is_not_frozen_is_refused_in_words(bare, station):
    with bare.research(require_frozen=True) as research, pytest.raises(StationError) as refusal:
        research.begin(asked())
    assert refusal.value.code is ErrorCode.SUPERVISOR_BAD_REQUEST
    for word in ('not frozen', 'enpire freeze', '--manifest', 'require_frozen'):
        assert word in refusal.value.message
    assert not Research.under_way(bare.run)
