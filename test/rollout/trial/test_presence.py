"""Who is there, who is lost, and who came back as somebody else."""

from __future__ import annotations

import pytest

from enpire_nodes.rollout.trial.presence import Condition, Presence

A, B = '/s/a', '/s/b'


@pytest.fixture
def presence():
    presence = Presence([A, B], lost_after=1.0)
    beat(presence, A)
    beat(presence, B)
    return presence


def beat(presence, node, *, now=0.0, incarnation=1, condition=Condition.ACTIVE, message=''):
    presence.beat(node, incarnation=incarnation, condition=condition, message=message, now=now)


def test_everybody_is_ready(presence):
    assert presence.troubles(0.9) == {}
    assert not presence.broken(0.9)
    assert presence.lost(presence.roster(), 0.9) == ''


def test_one_that_was_never_heard_is_missing_but_not_broken():
    presence = Presence([A, B], lost_after=1.0)
    beat(presence, A)
    assert list(presence.troubles(0.0)) == [B]
    assert 'never heard' in presence.troubles(0.0)[B]
    assert presence.is_lost(B, 0.0)
    assert not presence.broken(0.0)


def test_a_heartbeat_tells_whether_it_is_news(presence):
    def news(**fields) -> bool:
        values = {'incarnation': 1, 'condition': Condition.ACTIVE, 'message': '', 'now': 0.1}
        return presence.beat(A, **{**values, **fields})

    assert not news()
    assert news(condition=Condition.BUSY)
    assert not news(condition=Condition.BUSY)
    assert news(incarnation=2)
    assert not presence.beat('/s/x', incarnation=1, condition=2, message='', now=0.0)


def test_silence_is_loss(presence):
    roster = presence.roster()
    beat(presence, A, now=1.5)
    assert presence.lost(roster, 1.5) == f'{B} has been silent for 1.5 s'
    assert presence.is_lost(B, 1.5)
    assert not presence.is_lost(A, 1.5)
    assert presence.broken(1.5)


@pytest.mark.parametrize(
    ('condition', 'ready'),
    [
        (Condition.ACTIVE, True),
        (Condition.BUSY, True),
        (Condition.INACTIVE, False),
        (Condition.FAULTED, False),
        (Condition.UNSET, False),
        (77, False),
    ],
)
def test_only_active_nodes_are_ready(presence, condition, ready):
    beat(presence, A, condition=condition, message='no cameras')
    assert (presence.troubles(0.0) == {}) is ready
    assert bool(presence.lost(presence.roster(), 0.0)) is not ready
    if not ready:
        assert 'no cameras' in presence.troubles(0.0)[A]


def test_a_fault_is_broken_at_once(presence):
    beat(presence, A, condition=Condition.FAULTED, message='its process was killed')
    assert presence.broken(0.0)
    assert 'killed' in presence.lost(presence.roster(), 0.0)


def test_a_restart_is_loss_even_while_it_is_inactive_again(presence):
    roster = presence.roster()
    beat(presence, A, incarnation=2, condition=Condition.INACTIVE)
    assert presence.lost(roster, 0.0) == f'{A} was restarted'
    beat(presence, A, incarnation=2)
    assert presence.lost(roster, 0.0) == f'{A} was restarted'
    assert presence.lost(presence.roster(), 0.0) == ''


def test_the_busy_ones_are_named(presence):
    beat(presence, B, condition=Condition.BUSY)
    assert presence.busy() == [B]


def test_idle_since_needs_a_newer_heartbeat(presence):
    assert not presence.idle_since(A, 0.0)
    beat(presence, A, now=0.2)
    assert presence.idle_since(A, 0.1)
    beat(presence, A, now=0.3, condition=Condition.BUSY)
    assert not presence.idle_since(A, 0.1)
    assert not presence.idle_since('/s/stranger', 0.0)


def test_strangers_are_ignored(presence):
    beat(presence, '/s/stranger', condition=Condition.FAULTED)
    assert presence.troubles(0.0) == {}
    assert '/s/stranger' not in presence.roster()


def test_forgiving_takes_every_known_node_for_just_heard(presence):
    presence.forgive(5.0)
    assert presence.troubles(5.9) == {}
    assert presence.lost(presence.roster(), 6.1)
