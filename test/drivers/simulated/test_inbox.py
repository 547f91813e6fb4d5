"""Commands are checked, paired, and missed when they stay away."""

from __future__ import annotations

import numpy as np
import pytest

from enpire_nodes.drivers.simulated.inbox import CommandInbox

STRAIGHT = np.array([0.0, 0.0, 0.0, 1.0])


@pytest.fixture
def inbox():
    grippers = {'left': (0.05, 20.0), 'right': (0.06, 20.0)}
    return CommandInbox(('left', 'right'), grippers, timeout=0.2)


def send(inbox, arm='right', *, stamp=0, arrival=0.0, frame='world', position=(0.3, -0.3, 0.1),
         quaternion=STRAIGHT):  # fmt: skip
    return inbox.target(
        arm,
        stamp=stamp,
        frame=frame,
        position=np.array(position),
        quaternion=np.array(quaternion),
        arrival=arrival,
    )


def test_nothing_is_commanded_before_a_target_arrives(inbox):
    assert inbox.gripper('right', stamp=0, width=0.01, effort=5.0) == ''
    assert inbox.take() == ({}, [])


def test_a_target_goes_with_the_latest_gripper_command(inbox):
    send(inbox)
    commands, held = inbox.take()
    assert held == []
    assert list(commands) == ['right']
    assert commands['right'].gripper_width == 0.06
    inbox.gripper('right', stamp=1, width=0.01, effort=5.0)
    commands, _ = inbox.take()
    assert (commands['right'].gripper_width, commands['right'].gripper_effort) == (0.01, 5.0)
    assert inbox.take() == ({}, []), 'each command is passed on once'


def test_a_period_is_complete_with_both_messages_of_both_arms(inbox):
    for arm in ('left', 'right'):
        send(inbox, arm, stamp=7)
        assert not inbox.complete(7)
        inbox.gripper(arm, stamp=7, width=0.01, effort=5.0)
    assert inbox.complete(7)
    assert not inbox.complete(8)


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        ({'frame': 'right_base'}, "'right_base' is not 'world'"),
        ({'position': (np.nan, 0.0, 0.0)}, 'not finite'),
        ({'quaternion': (0.0, np.inf, 0.0, 1.0)}, 'not finite'),
        ({'quaternion': (0.0, 0.0, 0.0, 0.0)}, 'unit quaternion'),
        ({'quaternion': (0.0, 0.0, 0.0, 2.0)}, 'unit quaternion'),
    ],
)
def test_a_bad_target_is_refused_and_its_arm_is_to_be_held(inbox, change, reason):
    assert reason in send(inbox, **change)
    assert inbox.take() == ({}, ['right'])
    assert inbox.take() == ({}, []), 'held once'
    assert inbox.refused == 1


@pytest.mark.parametrize('values', [(np.nan, 5.0), (0.01, np.inf), (0.01, -1.0)])
def test_a_bad_gripper_command_is_refused(inbox, values):
    send(inbox)
    assert inbox.gripper('right', stamp=0, width=values[0], effort=values[1])
    assert inbox.take() == ({}, ['right'])


def test_a_refused_command_still_completes_its_period(inbox):
    for arm in ('left', 'right'):
        send(inbox, arm, stamp=3, position=(np.nan, 0, 0))
        inbox.gripper(arm, stamp=3, width=0.01, effort=5.0)
    assert inbox.complete(3)


def test_silence_is_told_once_and_only_of_arms_that_were_commanded(inbox):
    assert inbox.newly_stale(100.0) == []
    send(inbox, arrival=100.0)
    assert inbox.newly_stale(100.19) == []
    assert inbox.newly_stale(100.21) == ['right']
    assert inbox.newly_stale(101.0) == []


def test_a_gripper_command_alone_does_not_bring_an_old_target_back(inbox):
    send(inbox, arrival=0.0)
    inbox.take()
    inbox.newly_stale(1.0)
    inbox.gripper('right', stamp=1, width=0.01, effort=5.0)
    assert inbox.take() == ({}, [])
    send(inbox, arrival=2.0)
    assert list(inbox.take()[0]) == ['right']
