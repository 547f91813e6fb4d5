"""When a bag is good enough."""

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.recording.check import BagReport
from enpire_nodes.rollout.recording.outcome import problem_of
from enpire_nodes.rollout.recording.session import Closed

REPORT = BagReport({'/a': 5, '/b': 0}, {'/a': 't', '/b': 't'}, 100, 'digest')


def test_a_complete_bag_has_no_problem():
    assert problem_of(Closed(REPORT, None), ['/a'], {'/a': 0}) is None


def test_a_required_topic_without_messages_is_named():
    problem = problem_of(Closed(REPORT, None), ['/a', '/b'], {})
    assert problem.code is ErrorCode.RECORDER_TOPIC_MISSING
    assert '/b' in problem.message


def test_what_was_lost_and_what_was_dropped_add_up():
    problem = problem_of(Closed(REPORT, None, {'/a': 2, '/b': 1}), ['/a'], {'/a': 3})
    assert problem.code is ErrorCode.RECORDER_WRITE_FAILED
    assert '5 of /a, 1 of /b' in problem.message


def test_an_error_of_the_writer_comes_first():
    error = StationError(ErrorCode.RECORDER_DISK_FULL, 'full')
    assert problem_of(Closed(None, error), ['/b'], {}) is error
    assert problem_of(Closed(REPORT, error, {'/a': 1}), ['/b'], {}) is error
