"""Commands go out at one instant of the control period, with a real timer."""

import time

from builtin_interfaces.msg import Time
import numpy as np
import pytest

from enpire_nodes.ros.even_sender import EvenSender
from enpire_nodes.ros.node import StationNode

AFTER = 0.05  # s
SLACK = 0.03  # s, for a busy computer


class Sender:
    """An :class:`EvenSender` whose control periods begin when the test says so."""

    def __init__(self, ros, after):
        self.sent, self.began = [], time.monotonic()
        node = ros.make(lambda **arguments: StationNode('sender', **arguments))
        self.even = EvenSender(node, self._note, age=self.age, after=after)

    def age(self):
        return time.monotonic() - self.began

    def begin(self):
        self.began = time.monotonic()

    def _note(self, command, stamp):
        self.sent.append((self.age(), command, stamp.sec))


@pytest.fixture
def sender(ros):
    return Sender(ros, AFTER)


def test_answers_that_took_differently_long_go_out_evenly(ros, sender):
    for index, thought in enumerate((0.0, 0.01, 0.03)):
        sender.begin()
        time.sleep(thought)
        sender.even.send({}, Time(sec=index))
        ros.wait_until(lambda wanted=index + 1: len(sender.sent) == wanted)
    ages = np.array([age for age, _, _ in sender.sent])
    assert (ages >= AFTER - 1e-4).all()
    assert np.median(ages) < AFTER + SLACK
    assert [stamp for _, _, stamp in sender.sent] == [0, 1, 2]


def test_a_late_answer_goes_out_at_once(sender):
    time.sleep(AFTER)
    sender.even.send({}, Time(sec=7))
    assert [stamp for _, _, stamp in sender.sent] == [7]


def test_the_newer_of_two_commands_is_sent_alone(ros, sender):
    sender.begin()
    sender.even.send({}, Time(sec=1))
    sender.even.send({}, Time(sec=2))
    time.sleep(2 * AFTER + SLACK)
    assert [stamp for _, _, stamp in sender.sent] == [2]


def test_what_was_dropped_is_never_sent(sender):
    sender.begin()
    sender.even.send({}, Time(sec=1))
    sender.even.drop()
    time.sleep(2 * AFTER + SLACK)
    assert sender.sent == []


def test_without_a_delay_every_command_goes_out_at_once(ros):
    sender = Sender(ros, 0.0)
    sender.even.send({}, Time(sec=1))
    assert [stamp for _, _, stamp in sender.sent] == [1]
