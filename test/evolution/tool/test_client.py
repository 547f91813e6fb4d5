"""The client asks what it is told to, and raises what the station answers."""

import hashlib
import socket

from desk_double import COMMIT, DeskDouble, served
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.desk.views import TrialAsk
from enpire_nodes.evolution.tool.client import DeskClient


@pytest.fixture
def desk():
    return DeskDouble()


@pytest.fixture
def client(desk):
    with served(desk) as path:
        yield DeskClient(path)


def test_every_route_gives_what_the_desk_gave(desk, client):
    ask = TrialAsk(COMMIT, trials=3, attempts=8, against='cd' * 20)
    job = client.submit(ask)
    assert desk.asks == [ask]
    assert client.jobs() == client.jobs()
    assert [item.job_id for item in client.jobs()] == [job.job_id]
    assert client.job(job.job_id, wait=0.1).state == 'queued'
    assert client.cancel(job.job_id).state == 'canceled'
    assert client.status()['target'] == 0.9
    assert client.history().ideas[0].successes == 7
    assert client.budget() == desk.budget()
    assert client.peers() == desk.peers()
    assert client.publish(COMMIT, 'e' * 64).kind == 'retest'
    assert desk.proposed == [(COMMIT, 'e' * 64)]
    assert client.idea('Search wider')['key'] == 'wide'


def test_weights_arrive_whole(desk, client):
    content = bytes(range(256)) * 4096
    assert client.store(content) == hashlib.sha256(content).hexdigest()
    assert list(desk.stored.values()) == [content]


def test_a_refusal_keeps_its_code_and_words(client):
    with pytest.raises(StationError, match='no job x/y') as caught:
        client.job('x/y')
    assert caught.value.code is ErrorCode.SUPERVISOR_JOB_UNKNOWN


def test_a_bag_that_is_gone_is_said(desk, client):
    from enpire_nodes.rollout.records import TrialRecord

    desk.records['t'] = TrialRecord('t')
    for ask in (client.picture, client.clip):
        with pytest.raises(StationError, match='there is no bag') as caught:
            ask('t')
        assert caught.value.code is ErrorCode.IMPROVEMENT_REPLAY_UNREADABLE


def test_no_station_is_said_with_what_to_do(tmp_path):
    with pytest.raises(StationError, match='call again') as caught:
        DeskClient(tmp_path / 'none.sock').status()
    assert caught.value.code is ErrorCode.SUPERVISOR_SOCKET_FAILED


def test_a_station_that_says_nothing_is_given_up(tmp_path):
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / 'mute.sock'))
        mute.listen()
        with pytest.raises(StationError, match='timed out'):
            DeskClient(tmp_path / 'mute.sock', timeout=0.2).status()
