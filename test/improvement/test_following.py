"""Taking over the trials of a station: each one once, whatever happens to it."""

import errno
import json
import logging
import os

from improvement_support import closed_record, shown_trial, write_record
from lerobot_support import made_attempt, made_trial
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement import following as module
from enpire_nodes.improvement.following import Follower, Outline
from enpire_nodes.improvement.replay_store import ReplayStore
from enpire_nodes.tasks.eye import Crop


@pytest.fixture
def run(tmp_path):
    return tmp_path / 'run'


@pytest.fixture
def store(tmp_path):
    return ReplayStore(tmp_path / 'replay')


@pytest.fixture
def bags(monkeypatch):
    """Replace reading bags by making a trial up; return what was read, with which crops."""
    read = []

    def make_up(directory, *, crops=None):
        if (directory / 'damaged').exists():
            raise StationError(ErrorCode.IMPROVEMENT_REPLAY_UNREADABLE, f'{directory}: no bag')
        read.append(directory.name)
        attempt = made_attempt(cameras=tuple(crops or ()), side=8)
        return made_trial(directory.name, [attempt])

    monkeypatch.setattr(module, 'recorded_trial', make_up)
    return read


def close(run, name, second):
    directory = write_record(run, closed_record(name))
    os.utime(directory / 'trial.json', (second, second))
    return directory


def names(trials):
    return [trial.trial_id for trial in trials]


def test_a_run_that_does_not_exist_yet_has_no_trials(run, store):
    follower = Follower([run], store)
    assert list(follower.outlines()) == follower.poll() == []


def test_every_trial_comes_once_in_the_order_of_the_ends(run, store, bags):
    close(run, 'b', 1)
    close(run, 'a', 2)
    follower = Follower([run], store)
    assert names(follower.poll()) == ['b', 'a']
    assert follower.poll() == []
    close(run, 'c', 3)
    assert names(follower.poll()) == ['c']
    assert bags == ['b', 'a', 'c']


def test_a_trial_that_is_not_closed_is_left_until_it_is(run, store, bags):
    (run / 'trials' / 'open' / 'bag').mkdir(parents=True)
    follower = Follower([run], store)
    assert follower.poll() == []
    close(run, 'open', 1)
    assert names(follower.poll()) == ['open']


def test_the_store_is_a_cache_of_the_bags(run, store, bags):
    close(run, 'a', 1)
    assert names(Follower([run], store).poll()) == ['a']
    again = Follower([run], store)
    assert names(again.poll()) == ['a']
    assert bags == ['a'], 'the second time it came from the store'


def test_a_damaged_file_of_the_store_is_made_again(run, store, bags, caplog):
    close(run, 'a', 1)
    Follower([run], store).poll()
    (store.directory / 'a.npz').write_bytes(b'damaged')
    assert names(Follower([run], store).poll()) == ['a']
    assert bags == ['a', 'a']
    assert 'a.npz cannot be read' in caplog.text
    assert store.load('a').trial_id == 'a'


def test_what_the_store_has_of_other_runs_comes_first_and_once(run, store, bags):
    store.add(shown_trial('imported'))
    close(run, 'a', 1)
    follower = Follower([run], store)
    assert names(follower.poll()) == ['imported', 'a']
    assert follower.poll() == []


def test_a_trial_that_cannot_be_read_is_told_and_skipped(run, store, bags, caplog):
    (close(run, 'a', 1) / 'damaged').touch()
    close(run, 'b', 2)
    store.add(shown_trial('imported'))
    (store.directory / 'imported.npz').write_bytes(b'damaged')
    follower = Follower([run], store)
    with caplog.at_level(logging.WARNING):
        assert names(follower.poll()) == ['b']
    assert follower.unreadable == 2
    assert f'{run / "trials" / "a"}: no bag' in caplog.text
    assert 'imported.npz cannot be read' in caplog.text
    caplog.clear()
    assert follower.poll() == []
    assert caplog.text == '', 'it is told once'


def test_a_disk_without_room_loses_no_trial(run, store, bags, caplog, monkeypatch):
    close(run, 'a', 1)

    def full(trial):
        raise OSError(errno.ENOSPC, 'No space left on device')

    with monkeypatch.context() as patch:
        patch.setattr(store, 'add', full)
        follower = Follower([run], store)
        assert names(follower.poll()) == ['a']
    assert 'trial a is not kept' in caplog.text
    assert 'No space left' in caplog.text
    assert names(Follower([run], store).poll()) == ['a'], 'and after a restart it is read again'
    assert 'a' in store


def test_outlines_read_no_bag(run, store, bags):
    close(run, 'a', 1)
    store.add(shown_trial('imported', controller='lerobot'))
    follower = Follower([run], store)
    assert list(follower.outlines()) == [
        Outline('a', 'teleop', True), Outline('imported', 'lerobot', True),
    ]  # fmt: skip
    assert bags == []
    assert names(follower.poll()) == ['imported', 'a'], 'and take nothing away'


@pytest.mark.parametrize('text', ['', '{', '{}', '[]', '3'])
def test_a_damaged_record_is_no_outline_and_told_at_its_turn(run, store, text, caplog):
    (close(run, 'a', 1) / 'trial.json').write_text(text, 'utf-8')
    close(run, 'b', 2)
    follower = Follower([run], store)
    assert [one.trial_id for one in follower.outlines()] == ['b']
    assert follower.poll() == []
    assert follower.unreadable == 2, 'b has no bag'


def test_pictures_are_read_again_in_another_size(run, store, bags):
    close(run, 'a', 1)
    Follower([run], store).poll()
    crop = Crop((32, 32), (0, 0, 32, 32), size=8)
    follower = Follower([run], store)
    follower.see({'side': crop})
    (trial,) = follower.poll()
    assert set(trial.attempts[0].images) == {'side'}
    assert bags == ['a', 'a']
    once_more = Follower([run], store, crops={'side': crop})
    assert set(once_more.poll()[0].attempts[0].images) == {'side'}
    assert bags == ['a', 'a'], 'now the store has them'
    blind = Follower([run], store)
    assert names(blind.poll()) == ['a']
    assert bags == ['a', 'a'], 'and pictures that nobody wants are no reason'


def test_a_record_says_what_the_outline_says(run):
    directory = close(run, 'a', 1)
    about = json.loads((directory / 'trial.json').read_text('utf-8'))
    assert (about['trial_id'], about['controller'], about['success']) == ('a', 'teleop', True)
