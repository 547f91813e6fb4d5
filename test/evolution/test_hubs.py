"""A station's hub, and its exchange with that of the fleet."""

from __future__ import annotations

from pathlib import Path
import subprocess
import threading

from git_support import git
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract.signing import signing_key
from enpire_nodes.evolution import hubs as module
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.hub.sync import SyncReport
from enpire_nodes.evolution.hubs import Exchange, open_hub


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def hub(tmp_path, said) -> Hub:
    return open_hub('', tmp_path / 'hub.git', 'pin_insertion', log=said.append)


def push(hub: Hub, folder: Path, station: str, subject: str) -> str:
    """Push a commit to a station's branch."""
    git(folder.parent, 'clone', '-q', str(hub.path), str(folder))
    git(folder, 'commit', '-q', '--allow-empty', '-m', subject)
    git(folder, 'push', '-q', 'origin', f'HEAD:refs/heads/station/{station}')
    return git(folder, 'rev-parse', 'HEAD')


def test_a_station_without_a_hub_makes_its_own_once(hub, tmp_path, said):
    assert 'made from the template' in said[0]
    again = open_hub('', tmp_path / 'hub.git', 'pin_insertion', log=said.append)
    assert again.main == hub.main
    assert len(said) == 1


def test_a_hub_that_is_named_and_not_there_is_refused(tmp_path, said):
    with pytest.raises(StationError) as refusal:
        open_hub(str(tmp_path / 'none.git'), tmp_path / 'h', 'pin_insertion', log=said.append)
    assert refusal.value.code is ErrorCode.HUB_UNUSABLE
    assert not (tmp_path / 'h').exists()


def test_what_is_published_reaches_the_fleet_when_the_campaign_ends(hub, tmp_path, said):
    fleet = tmp_path / 'fleet.git'
    subprocess.run(['git', 'clone', '-q', '--bare', str(hub.path), str(fleet)], check=True)
    commit = push(hub, tmp_path / 'clone', 'station_1', 'Ours')
    with Exchange(hub, str(fleet), station='station_1', log=said.append):
        pass
    assert commit in {idea.commit for idea in Hub(fleet).ideas()}


def test_a_fleet_that_is_gone_is_told_and_stops_nothing(hub, tmp_path, said):
    with Exchange(hub, str(tmp_path / 'gone.git'), station='station_1', log=said.append):
        pass
    assert any('nothing was exchanged' in words for words in said)


def test_the_digest_has_others_ideas_with_their_results_and_is_bounded(
    hub, tmp_path, said, monkeypatch
):
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    exchange = Exchange(hub, '', station='station_1', log=said.append)
    assert 'no other station' in exchange.digest()
    push(hub, tmp_path / 'own', 'station_1', 'Our own idea')
    commit = push(hub, tmp_path / 'theirs', 'station_2', 'Their idea ' + 'x' * 100)
    hub.add_result(
        'station_2', commit, {'first_attempt_successes': 18, 'trials': 20}, signing_key()
    )
    hub.claim('another-idea', 'station_2', for_seconds=60.0)
    text = exchange.digest()
    assert '18/20' in text
    assert 'Their idea' in text
    assert 'Our own' not in text
    assert 'another-idea' in text
    assert len(text) <= 4000


@pytest.mark.parametrize(
    'result', [{}, {'trials': 7}, {'trials': '9', 'first_attempt_successes': 1}]
)
def test_a_result_that_another_version_signed_is_no_hindrance(
    hub, tmp_path, said, monkeypatch, result
):
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    commit = push(hub, tmp_path / 'theirs', 'station_2', 'Their idea')
    hub.add_result('station_2', commit, result, signing_key())
    told = Exchange(hub, '', station='station_1', log=said.append).digest()
    assert f'{commit[:10]} (no result) Their idea' in told


def test_the_best_ideas_of_a_station_are_told_and_the_best_first(hub, tmp_path, said, monkeypatch):
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    key = signing_key()
    for done in range(8):
        commit = push(hub, tmp_path / f'clone-{done}', f'two/{done}', f'Idea {done}')
        hub.add_result('two', commit, {'first_attempt_successes': done, 'trials': 8}, key)
    lines = Exchange(hub, '', station='station_1', log=said.append).digest().splitlines()
    assert lines[0] == 'two:'
    assert [line.split()[1] for line in lines[1:]] == [f'{done}/8' for done in range(7, 1, -1)]


def test_what_the_fleet_refuses_and_what_was_claimed_before_is_told(
    hub, tmp_path, said, monkeypatch
):
    report = SyncReport(refused=['refs/heads/main: nobody has signed it'], lost=['slower'])
    monkeypatch.setattr(module, 'sync', lambda *_: report)
    with Exchange(hub, 'anywhere', station='station_1', log=said.append):
        pass
    assert 'the fleet: refs/heads/main: nobody has signed it' in said
    assert any(words.endswith('before: slower') for words in said)


def test_news_are_exchanged_while_the_campaign_lasts(hub, said, monkeypatch):
    exchanged = threading.Semaphore(0)

    def sync(*_):
        exchanged.release()
        return SyncReport()

    monkeypatch.setattr(module, 'sync', sync)
    monkeypatch.setattr(module, '_PERIOD', 0.01)
    with Exchange(hub, 'anywhere', station='station_1', log=said.append):
        assert exchanged.acquire(timeout=50.0)
        assert exchanged.acquire(timeout=50.0)


@pytest.fixture
def slow(monkeypatch):
    """Return (begun, go_on, most) of exchanges that wait until they may go on."""
    begun, go_on = threading.Semaphore(0), threading.Event()
    under_way, most = [], []

    def sync(*_):
        under_way.append(1)
        most.append(len(under_way))
        begun.release()
        go_on.wait(50.0)
        under_way.pop()
        return SyncReport()

    monkeypatch.setattr(module, 'sync', sync)
    monkeypatch.setattr(module, '_PERIOD', 0.01)
    yield begun, go_on, most
    go_on.set()


def test_the_last_exchange_follows_the_one_that_is_under_way(hub, said, slow):
    begun, go_on, most = slow
    with Exchange(hub, 'anywhere', station='station_1', log=said.append):
        assert begun.acquire(timeout=50.0)
        later = threading.Timer(0.1, go_on.set)
        later.start()
    later.join()
    assert len(most) >= 2
    assert set(most) == {1}
    assert said == ['a hub was made from the template: ' + str(hub.path)]


def test_an_exchange_that_does_not_end_is_told(hub, said, slow, monkeypatch):
    monkeypatch.setattr(module, '_LAST', 0.05)
    begun, _, _ = slow
    with Exchange(hub, 'anywhere', station='station_1', log=said.append):
        assert begun.acquire(timeout=50.0)
    assert 'did not end' in said[-1]
