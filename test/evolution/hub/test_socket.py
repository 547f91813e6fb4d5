"""The socket: many at once, the dead, the slow, and what is not Git."""

from concurrent.futures import ThreadPoolExecutor
import os
import signal
import socket
import subprocess
import time

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub.git import clean_environment, git
from enpire_nodes.evolution.hub.socket import HubSocket

_LONG = 50.0  # s


def wait_for(condition):
    end = time.monotonic() + _LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_two_stations_push_twenty_commits_each_at_once(hub, join):
    agents = [join('s1'), join('s2')]

    def work(agent):
        failed = 0
        for index in range(20):
            agent.commit(f'idea {index}', policy__py=f'GAIN = "{agent.station} {index}"\n')
            failed += agent.push().returncode != 0
        return failed

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, agents)) == [0, 0]
    assert hub.branches() == {agent.station: agent.head() for agent in agents}
    assert len(hub.ideas('s1')) == len(hub.ideas('s2')) == 20
    assert git(hub.path, 'fsck', '--strict', '--connectivity-only').code == 0


def test_of_two_pushes_to_one_branch_one_is_taken(hub, agent):
    """The loser loses nothing: it fetches, puts its commit on top, and pushes again."""
    base = agent.head()
    heads = []
    for name in ('one', 'two'):
        agent.git('checkout', '-q', '-B', name, base)
        heads.append(agent.commit(name, notes__txt=f'{name}\n'))
    with ThreadPoolExecutor(2) as pool:
        pushed = list(pool.map(lambda head: agent.push(f'{head}:{agent.branch}'), heads))
    taken = [head for head, push in zip(heads, pushed) if push.returncode == 0]
    assert len(taken) == 1
    assert hub.branches() == {'s1': taken[0]}
    agent.git('fetch', '-q', 'origin')
    agent.git(
        'rebase', '-q', '-X', 'theirs', 'origin/station/s1', 'two' if taken == heads[:1] else 'one'
    )
    assert agent.push(f'HEAD:{agent.branch}').returncode == 0


@pytest.mark.parametrize('victim', ['client', 'server'])
def test_a_push_that_is_killed_leaves_the_hub_usable(hub, agent, victim, tmp_path):
    told = tmp_path / 'told'
    hook = hub.path / 'hooks' / 'pre-receive'
    whole = hook.read_text('utf-8')
    hook.write_text(f'#!/bin/sh\necho $PPID > {told}.new\nmv {told}.new {told}\nexec sleep 60\n')
    agent.commit('one', policy__py='GAIN = 2\n')
    process = subprocess.Popen(
        ['git', '-C', str(agent.path), 'push', '-q', 'origin', 'HEAD'],
        env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for(told.exists)
    if victim == 'client':
        process.kill()
    else:
        os.kill(int(told.read_text()), signal.SIGKILL)
    assert process.wait(_LONG) != 0
    hook.write_text(whole)
    assert hub.branches() == {}
    assert agent.push().returncode == 0
    assert hub.branches() == {'s1': agent.head()}
    assert git(hub.path, 'fsck', '--strict', '--connectivity-only').code == 0


def test_one_connection_lasts_no_longer_than_its_deadline(hub, tmp_path):
    with HubSocket(tmp_path / 'x.sock', hub, 's1', deadline=0.5) as place:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_LONG)
            client.connect(str(place.path))
            assert client.recv(1) == b''


def test_more_connections_than_there_may_be_are_told_to_come_again(hub, tmp_path):
    with HubSocket(tmp_path / 'x.sock', hub, 's1', most=1) as place:
        with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
            first.connect(str(place.path))
            second.settimeout(_LONG)
            second.connect(str(place.path))
            assert b'ERR the hub is busy' in second.recv(200)


@pytest.mark.parametrize('sent', [b'GET / HTTP/1.1\r\n\r\n', b'\0' * 64, b'ffff', b''])
def test_what_is_not_git_gets_nothing_and_harms_nobody(hub, agent, tmp_path, sent):
    with HubSocket(tmp_path / 'x.sock', hub, 's1') as place:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_LONG)
            client.connect(str(place.path))
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                continue
    agent.commit('good')
    assert agent.push().returncode == 0


def test_no_other_repository_is_reached_whatever_path_is_asked_for(hub, agent, tmp_path):
    git(None, 'init', '-q', '--bare', str(tmp_path / 'secret.git'))
    url = agent.git('remote', 'get-url', 'origin').stdout.strip().removesuffix('/hub.git')
    asked = agent.git('ls-remote', f'{url}{tmp_path}/secret.git').stdout
    assert hub.main in asked, 'it gets the hub'
    archive = agent.git('archive', f'--remote={url}/hub.git', 'main', check=False)
    assert archive.returncode != 0


def test_close_ends_what_is_being_served_and_may_be_called_twice(hub, tmp_path):
    place = HubSocket(tmp_path / 'x.sock', hub, 's1')
    place.start()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_LONG)
        client.connect(str(place.path))
        place.close()
        assert client.recv(1) == b''
    place.close()
    assert not place.path.exists()


def test_a_socket_that_cannot_be_made_is_told(hub, tmp_path):
    with pytest.raises(StationError, match='cannot be made') as caught:
        HubSocket(tmp_path / ('long' * 40), hub, 's1').start()
    assert caught.value.code == ErrorCode.HUB_UNUSABLE
