"""From real bags, written as a station writes them, to what a learner keeps."""

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from improvement_support import closed_record, write_record
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage

from enpire_msgs.msg import PolicyFeatures
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement.bags import recorded_trial, trial_of
from enpire_nodes.rollout.recording.definitions import definition_of
from enpire_nodes.rollout.recording.writer import BagWriter
from enpire_nodes.tasks.eye import Crop

START = 1_700_000_000  # s
PERIOD = 0.04  # s


def row(attempt, step):
    """Return what the policy was told: exact in float32, and different everywhere."""
    base = 100.0 * attempt + step
    return {'tcp': np.array([base, base + 0.25, base + 0.5]), 'elapsed': np.array([step / 8])}


def stamped(message, seconds):
    nanoseconds = round(seconds * 1e9)
    message.header.stamp.sec = START + nanoseconds // 10**9
    message.header.stamp.nanosec = nanoseconds % 10**9
    return message


def told(attempt, step, start):
    features = row(attempt, step)
    message = PolicyFeatures(
        trial_id='trial_1', attempt=attempt, step=step, names=list(features),
        sizes=[values.size for values in features.values()],
        values=np.concatenate(list(features.values())).tolist(),
    )  # fmt: skip
    return stamped(message, start + step * PERIOD)


class Bag:
    """A bag with the topics of a station."""

    def __init__(self, directory):
        self.writer = BagWriter(directory, custom_data={'trial_id': 'trial_1'})
        self.topics, self.count = {}, 0

    def write(self, topic, message):
        kind = type(message)
        name = f'{kind.__module__.split(".")[0]}/msg/{kind.__name__}'
        if topic not in self.topics:
            self.topics[topic] = self.writer.add_topic(topic, definition_of(name))
        self.count += 1  # a bag is in the order of arrival, which need not be that of the stamps
        arrived = START * 10**9 + self.count * 10**6
        self.writer.write(self.topics[topic], serialize_message(message), arrived)

    def attempt(self, attempt, steps, *, start=0.0, order=None):
        for step in order or range(steps + 1):
            self.write('/station_1/policy/features', told(attempt, step, start))

    def picture(self, camera, seconds, colour, *, data=None):
        image = np.zeros((20, 30, 3), np.uint8)
        image[5:15, 10:20] = colour
        if data is None:
            data = cv2.imencode('.png', cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()
        message = stamped(CompressedImage(format='png', data=data), seconds)
        self.write(f'/station_1/camera/{camera}/image_raw/compressed', message)


@pytest.fixture
def trial(tmp_path):
    """Write a trial; return its directory."""

    def write(fill, *, steps=(4,), **fields):
        directory = write_record(tmp_path, closed_record(steps=steps, **fields))
        bag = Bag(directory / 'bag')
        fill(bag)
        bag.writer.close()
        return directory

    return write


def unreadable(directory, said, **options):
    with pytest.raises(StationError, match=said) as caught:
        recorded_trial(directory, **options)
    assert caught.value.code == ErrorCode.IMPROVEMENT_REPLAY_UNREADABLE
    assert str(directory) in caught.value.message
    assert 'enpire recover' in caught.value.message


def test_what_the_policy_was_told_comes_back(trial):
    directory = trial(lambda bag: bag.attempt(1, 4))
    found = recorded_trial(directory)
    (attempt,) = found.attempts
    assert attempt.steps == 4
    np.testing.assert_allclose(attempt.stamps, START + PERIOD * np.arange(5), atol=1e-6)
    assert set(attempt.features) == {'tcp', 'elapsed'}
    for name, values in attempt.features.items():
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, [row(1, step)[name] for step in range(5)])
    assert attempt.images == {}
    assert (attempt.verdict, attempt.execution) == ('success', 'completed')
    assert (attempt.peak_force, attempt.depth) == (2.5, 0.03)


def test_what_the_record_says_comes_along(trial):
    found = recorded_trial(trial(lambda bag: bag.attempt(1, 4)))
    assert (found.trial_id, found.outcome, found.success) == ('trial_1', 'success', True)
    assert (found.controller, found.controller_digest) == ('teleop', 'abc')
    assert (found.requester, found.commit, found.explored) == ('operator', 'c0ffee', False)
    assert (found.operator_seconds, found.robot_seconds) == (0.5, 6.0)


@pytest.mark.parametrize(
    ('parameters', 'explored'),
    [
        ({'learned.explore': True}, True),
        ({'learned.explore': False}, False),
        ({'explore': True}, True),
        ({'learned.images': 64}, False),
    ],
)
def test_whether_the_policy_explored(parameters, explored):
    record = closed_record(steps=(), controller_parameters=parameters)
    assert trial_of(record, {}).explored is explored


def test_attempts_are_kept_apart(trial):
    def fill(bag):
        bag.attempt(1, 4)
        bag.attempt(2, 2, start=3.0)

    found = recorded_trial(trial(fill, steps=(4, 2)))
    assert [(one.index, one.steps, one.verdict) for one in found.attempts] == [
        (1, 4, 'failure'), (2, 2, 'success'),
    ]  # fmt: skip
    np.testing.assert_array_equal(found.attempts[1].features['tcp'][0], row(2, 0)['tcp'])


def test_rows_are_in_the_order_of_their_stamps(trial):
    found = recorded_trial(trial(lambda bag: bag.attempt(1, 4, order=[1, 0, 2, 4, 3])))
    np.testing.assert_array_equal(found.attempts[0].features['elapsed'][:, 0] * 8, range(5))


def test_rows_of_the_halt_are_cut_off(trial):
    (attempt,) = recorded_trial(trial(lambda bag: bag.attempt(1, 9), steps=(4,))).attempts
    assert attempt.steps == 4
    np.testing.assert_array_equal(attempt.features['tcp'][-1], row(1, 4)['tcp'])


def test_a_trial_without_attempts_needs_no_bag(tmp_path):
    directory = write_record(tmp_path, closed_record(steps=()))
    found = recorded_trial(directory)
    assert (found.attempts, found.outcome, found.success) == ((), 'reset_failed', False)


def test_an_attempt_in_which_no_policy_ran_is_left_out(trial):
    found = recorded_trial(trial(lambda bag: bag.attempt(1, 4), steps=(4, 0)))
    assert [attempt.index for attempt in found.attempts] == [1]


def test_a_bag_that_does_not_say_what_the_policy_was_told_is_unreadable(trial):
    unreadable(trial(lambda bag: bag.picture('side', 0.0, 9)), 'lacks /policy/features of att')
    unreadable(trial_with_second(trial), 'of attempt 2')


def trial_with_second(trial):
    return trial(lambda bag: bag.attempt(1, 4), steps=(4, 3), trial_id='trial_2')


def test_pictures_are_the_newest_ones_by_then_cut_to_the_crop(trial):
    def fill(bag):
        bag.attempt(1, 4)  # at 0, 40, 80, 120 and 160 ms
        for seconds, red in ((0.01, 50), (0.08, 100), (0.17, 150)):
            bag.picture('side', seconds, (red, 20, 30))
        bag.picture('front', 0.0, (1, 2, 3))

    crops = {
        'side': Crop((30, 20), (10, 5, 20, 15), size=4),
        'front': Crop((30, 20), (10, 5, 20, 15), size=4),
    }
    (attempt,) = recorded_trial(trial(fill), crops=crops).attempts
    assert set(attempt.features) == {'tcp', 'elapsed'}
    assert {name: images.shape for name, images in attempt.images.items()} == {
        'side': (5, 4, 4, 3), 'front': (5, 4, 4, 3),
    }  # fmt: skip
    assert attempt.images['side'].dtype == np.uint8
    np.testing.assert_array_equal(attempt.images['side'][:, 2, 2, 0], [50, 50, 100, 100, 100])
    np.testing.assert_array_equal(attempt.images['side'][0, 1, 1], (50, 20, 30))
    np.testing.assert_array_equal(attempt.images['front'][4, 0, 0], (1, 2, 3))


@pytest.mark.parametrize(
    ('fill', 'said'),
    [
        (lambda bag: None, 'no picture of side'),
        (lambda bag: bag.picture('outside', 0.0, 9), 'no picture of side'),
        (lambda bag: bag.picture('side', 0.0, 9, data=b'no picture'), 'of side is no picture'),
        (lambda bag: bag.picture('side', 0.0, 9), 'the picture is uint8'),
    ],
)
def test_pictures_that_are_not_there_are_told(trial, fill, said):
    def both(bag):
        bag.attempt(1, 4)
        fill(bag)

    crops = {'side': Crop((99, 99), (0, 0, 9, 9), size=4)}
    unreadable(trial(both), said, crops=crops)


@pytest.mark.parametrize('text', ['', '{', '[]', '3', '{}', '{"trial_id": "t", "outcome": "X"}'])
def test_a_damaged_record_is_told(trial, text):
    directory = trial(lambda bag: bag.attempt(1, 4))
    (directory / 'trial.json').write_text(text, 'utf-8')
    unreadable(directory, 'Error: ')


def test_what_is_missing_is_told(trial, tmp_path):
    unreadable(tmp_path / 'trials' / 'never', r'trial\.json')
    directory = trial(lambda bag: bag.attempt(1, 4))
    (directory / 'bag' / 'bag_0.mcap').unlink()
    unreadable(directory, 'bag_0')


def test_a_bag_that_breaks_off_is_told(trial):
    directory = trial(lambda bag: bag.attempt(1, 4))
    path = directory / 'bag' / 'bag_0.mcap'
    whole = path.read_bytes()
    for share in (0.0, 0.3, 0.7):
        path.write_bytes(whole[: int(len(whole) * share)])
        unreadable(directory, 'bag')


def test_no_flipped_bit_is_an_error_of_another_kind(trial):
    directory = trial(lambda bag: bag.attempt(1, 4))
    path = directory / 'bag' / 'bag_0.mcap'
    whole, refused = path.read_bytes(), 0
    for position in range(0, len(whole), 61):
        data = bytearray(whole)
        data[position] ^= 1 << position % 8
        path.write_bytes(data)
        try:
            recorded_trial(directory)
        except StationError:
            refused += 1
    assert refused > 0
