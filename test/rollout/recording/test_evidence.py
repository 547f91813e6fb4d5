"""Evidence read back from the bag of its trial."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.recording.evidence import evidence_of
from enpire_nodes.rollout.records import AttemptRecord, VerdictRecord
from enpire_nodes.tasks.pin_insertion.task import PinInsertion

TASK = PinInsertion()
STORE = get_typestore(Stores.ROS2_JAZZY)
T = STORE.types
START, SETTLE, SETTLED, DECIDED = 100.0, 104.0, 106.0, 106.45
ATTEMPT = AttemptRecord(
    1,
    start_ns=round(START * 1e9),
    end_ns=round(SETTLED * 1e9),
    duration=SETTLE - START,
    verdict=VerdictRecord(stamp_ns=round(DECIDED * 1e9)),
)


def header(stamp):
    nanoseconds = round(stamp * 1e9)
    time = T['builtin_interfaces/msg/Time'](nanoseconds // 10**9, nanoseconds % 10**9)
    return T['std_msgs/msg/Header'](time, 'world')


def point(kind, values):
    return T[f'geometry_msgs/msg/{kind}'](*map(float, values))


def pose(stamp, position):
    whole = T['geometry_msgs/msg/Pose'](
        point('Point', position), point('Quaternion', (-0.6, 0.8, 0.0, 0.0))
    )
    return T['geometry_msgs/msg/PoseStamped'](header(stamp), whole)


def wrench(stamp, force):
    parts = point('Vector3', force), point('Vector3', (0.1, 0.2, 0.3))
    return T['geometry_msgs/msg/WrenchStamped'](
        header(stamp), T['geometry_msgs/msg/Wrench'](*parts)
    )


def grip(stamp, width):
    return T['sensor_msgs/msg/JointState'](
        header(stamp), ['gripper'], np.array([width]), np.zeros(0), np.array([18.0])
    )


def picture(stamp, grey, *, size=(48, 64), data=None):
    image = np.full((*size, 3), grey, np.uint8)
    image[..., 0] = 200  # blue for OpenCV, which writes it
    encoded = cv2.imencode('.jpg', image)[1] if data is None else data
    return T['sensor_msgs/msg/CompressedImage'](header(stamp), 'jpeg', np.ravel(encoded))


class Bag:
    """Writes a bag of the topics that matter, and of others that must not."""

    def __init__(self, path):
        self.path = path
        self.messages = []

    def add(self, topic, message, stamp, *, late=0.02):
        self.messages.append((stamp + late, topic, message))

    def fill(self, *, cameras=('side', 'front'), skip=()):
        for index in range(320):
            stamp = 103.5 + 0.01 * index
            self.add('right/tcp_pose', pose(stamp, (0.27, -0.3, 0.1 + 0.001 * index)), stamp)
            self.add('left/tcp_pose', pose(stamp, (9.0, 9.0, 9.0)), stamp)
            self.add('driver/right/tcp_pose', pose(stamp, (8.0, 8.0, 8.0)), stamp)
            if 'wrench' not in skip:
                self.add('right/wrench', wrench(stamp - 0.004, (index, 0.0, 1.0)), stamp - 0.004)
            self.add('right/gripper/state', grip(stamp, 0.05 if index > 200 else 0.011), stamp)
            if index % 10 == 0:
                for name in cameras:
                    message = picture(stamp, index // 2)
                    self.add(f'camera/{name}/image_raw/compressed', message, stamp)
        return self

    def write(self):
        with Writer(self.path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
            made = {}
            for stamp, topic, message in sorted(self.messages, key=lambda item: item[0]):
                kind = message.__msgtype__
                if topic not in made:
                    name = f'/station_1/{topic}'
                    made[topic] = writer.add_connection(name, kind, typestore=STORE)
                writer.write(made[topic], round(stamp * 1e9), STORE.serialize_cdr(message, kind))
        return self.path


@pytest.fixture
def bag(tmp_path):
    return Bag(tmp_path / 'bag')


def test_states_are_those_of_the_working_arm_from_the_policys_end_until_it_stood_still(bag):
    evidence = evidence_of(bag.fill().write(), task=TASK, attempt=ATTEMPT, label=True)
    stamps = [state.stamp for state in evidence.states]
    assert stamps[0] == pytest.approx(SETTLE)
    assert stamps[-1] == pytest.approx(SETTLED)
    assert len(stamps) == 201
    first = evidence.states[0]  # the 50th of all
    np.testing.assert_allclose(first.position, (0.27, -0.3, 0.15))
    np.testing.assert_allclose(first.quaternion, (-0.6, 0.8, 0.0, 0.0))
    np.testing.assert_allclose(first.force, (50.0, 0.0, 1.0))
    np.testing.assert_allclose(first.torque, (0.1, 0.2, 0.3))
    assert (first.gripper_width, first.gripper_effort) == (0.011, 18.0)
    assert evidence.states[-1].gripper_width == 0.05
    assert (evidence.settle_start, evidence.settled, evidence.now) == (SETTLE, SETTLED, DECIDED)
    assert evidence.label is True


def test_pictures_are_those_between_standing_still_and_the_verdict_as_rgb(bag):
    evidence = evidence_of(bag.fill().write(), task=TASK, attempt=ATTEMPT, source='trial 7')
    assert evidence.source == 'trial 7'
    assert evidence.label is None
    assert list(evidence.frames) == ['side', 'front']
    for frames in evidence.frames.values():
        assert [frame.stamp for frame in frames] == pytest.approx(
            [106.0, 106.1, 106.2, 106.3, 106.4]
        )
        image = frames[0].image
        assert image.shape == (48, 64, 3)
        assert image[24, 32].astype(int) == pytest.approx([125, 125, 200], abs=6)


def test_messages_that_were_recorded_late_or_out_of_order_are_found(bag):
    bag.fill()
    message = picture(106.25, 10)
    bag.add('camera/side/image_raw/compressed', message, 106.25, late=0.4)
    evidence = evidence_of(bag.write(), task=TASK, attempt=ATTEMPT)
    stamps = [frame.stamp for frame in evidence.frames['side']]
    assert stamps == sorted(stamps)
    assert 106.25 in stamps


def test_a_picture_that_overtook_the_clock_was_looked_at_too(bag):
    # decided with the picture of 106.2 while the judge's clock still said 106.15
    early = VerdictRecord(stamp_ns=round(106.15 * 1e9), latency=-0.05)
    evidence = evidence_of(bag.fill().write(), task=TASK, attempt=replace(ATTEMPT, verdict=early))
    for frames in evidence.frames.values():
        assert [frame.stamp for frame in frames] == pytest.approx([106.0, 106.1, 106.2])
    assert evidence.now == pytest.approx(106.2)


@pytest.mark.parametrize(
    ('fill', 'words'),
    [({'cameras': ('side',)}, 'no picture of front'), ({'skip': ('wrench',)}, 'no state')],
)
def test_a_bag_that_lacks_something_is_refused(bag, fill, words):
    with pytest.raises(StationError, match=words) as caught:
        evidence_of(bag.fill(**fill).write(), task=TASK, attempt=ATTEMPT)
    assert caught.value.code is ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE


def test_an_attempt_that_nobody_judged_has_no_evidence(bag):
    unjudged = replace(ATTEMPT, verdict=VerdictRecord())
    with pytest.raises(StationError, match='no picture'):
        evidence_of(bag.fill().write(), task=TASK, attempt=unjudged)


def test_a_picture_that_is_none_is_refused(bag):
    bag.fill()
    broken = picture(106.15, 0, data=np.arange(100, dtype=np.uint8))
    bag.add('camera/side/image_raw/compressed', broken, 106.15)
    with pytest.raises(StationError, match='no picture') as caught:
        evidence_of(bag.write(), task=TASK, attempt=ATTEMPT)
    assert caught.value.code is ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE


def nothing(path):
    for file in path.iterdir():
        file.unlink()


def cut(path):
    file = next(path.glob('*.mcap'))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(path):
    next(path.glob('*.mcap')).write_bytes(b'')


def scramble(path):
    file = next(path.glob('*.mcap'))
    content = bytearray(file.read_bytes())
    for place in range(2000, len(content) - 2000, 997):
        content[place] ^= 0xFF
    file.write_bytes(bytes(content))


@pytest.mark.parametrize('damage', [nothing, cut, empty, scramble])
def test_a_damaged_bag_is_refused(bag, damage):
    path = bag.fill().write()
    damage(path)
    with pytest.raises(StationError) as caught:
        evidence_of(path, task=TASK, attempt=ATTEMPT)
    assert caught.value.code is ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE
    assert str(path) in caught.value.message
