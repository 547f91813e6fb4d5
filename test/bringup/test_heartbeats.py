"""Signs of life, and the announcement of a death."""

from __future__ import annotations

from collections.abc import Iterator
import time

import pytest

pytest.importorskip('rclpy')

from enpire_msgs.msg import Heartbeat
from enpire_nodes.bringup import heartbeats
from enpire_nodes.bringup.heartbeats import HeartbeatListener, obituary, Sign

pytestmark = pytest.mark.ros
GATE = '/station_1/safety_gate'


@pytest.fixture
def pair(domain: int) -> Iterator[tuple[HeartbeatListener, HeartbeatListener]]:
    listeners = HeartbeatListener('/station_1'), HeartbeatListener('/station_1')
    yield listeners
    for listener in listeners:
        listener.close()


def hear(listener: HeartbeatListener, timeout: float = 10.0) -> Sign:
    deadline = time.monotonic() + timeout
    while GATE not in listener.signs:
        assert time.monotonic() < deadline
        listener.poll()
        time.sleep(0.005)
    return listener.signs[GATE]


def speak(speaker: HeartbeatListener, listener: HeartbeatListener, message: Heartbeat) -> Sign:
    """Beat as a node does, until both hear it."""
    deadline = time.monotonic() + 10
    while GATE not in listener.signs or GATE not in speaker.signs:
        assert time.monotonic() < deadline
        speaker._publisher.publish(message)
        time.sleep(0.02)
        listener.poll()
        speaker.poll()
    return listener.signs[GATE]


@pytest.mark.parametrize(
    ('state', 'ready', 'words'),
    [
        (Heartbeat.ACTIVE, True, 'active'),
        (Heartbeat.BUSY, True, 'busy'),
        (Heartbeat.INACTIVE, False, 'inactive'),
        (Heartbeat.FAULTED, False, 'faulted: no camera'),
    ],
)
def test_a_heartbeat_says_whether_a_node_is_ready(
    pair: tuple[HeartbeatListener, HeartbeatListener], state: int, ready: bool, words: str
) -> None:
    message = 'no camera' if state == Heartbeat.FAULTED else ''
    speak(*pair, Heartbeat(node=GATE, state=state, incarnation=7, message=message))
    missing = pair[1].missing([GATE])
    assert missing == ({} if ready else {GATE: words})
    assert pair[1].signs[GATE].incarnation == 7


def test_a_silent_node_is_missing(
    pair: tuple[HeartbeatListener, HeartbeatListener], monkeypatch: pytest.MonkeyPatch
) -> None:
    speak(*pair, Heartbeat(node=GATE, state=Heartbeat.ACTIVE))
    monkeypatch.setattr(heartbeats, 'SILENCE', 0.05)
    time.sleep(0.1)
    assert pair[1].missing([GATE, '/station_1/driver']) == {
        GATE: 'no heartbeat for 0.1 s',
        '/station_1/driver': 'no heartbeat yet',
    }


def test_a_death_is_announced_with_the_last_incarnation(
    pair: tuple[HeartbeatListener, HeartbeatListener],
) -> None:
    speaker, listener = pair
    speak(speaker, listener, Heartbeat(node=GATE, state=Heartbeat.ACTIVE, incarnation=5))
    time.sleep(0.1)
    listener.poll()
    listener.signs.clear()
    speaker.announce_death(GATE, 'killed by SIGKILL')
    sign = hear(listener)
    assert (sign.state, sign.incarnation) == (Heartbeat.FAULTED, 5)
    assert sign.message == 'its process was killed by SIGKILL'


def test_an_obituary_reads_well_however_the_process_ended() -> None:
    assert obituary(GATE, 'ended with exit code 1').message == 'its process ended with exit code 1'


def test_other_stations_are_not_heard(domain: int) -> None:
    here, there = HeartbeatListener('/station_1'), HeartbeatListener('/station_2')
    try:
        there.announce_death('/station_2/driver', 'killed')
        time.sleep(0.3)
        here.poll()
        assert here.signs == {}
    finally:
        here.close()
        there.close()
