"""Doing again what was recorded, in an array or in a bag."""

import json

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers import registry
from enpire_nodes.rollout.controllers.interface import AttemptContext

PERIOD = 1.0 / 30.0
GOAL = np.array([0.27, -0.305, -0.06])
START_NS = 5_000_000_000
LATER = '{"attempts": [{"start_ns": 9000000000000, "steps": 20}]}'


def path(count=20):
    return GOAL + np.linspace([0.0, 0.0, 0.08], [0.002, 0.001, 0.02], count)


def play(controller, *, rate=30.0, limit=200):
    controller.reset(AttemptContext(goal_position=GOAL, control_rate=rate))
    actions = []
    while len(actions) < limit and not (action := controller.step({})).done:
        actions.append(action)
    return actions


@pytest.fixture
def archive(tmp_path):
    file = tmp_path / 'actions.npz'
    np.savez(file, time=np.arange(20) * PERIOD, position=path(), gripper_width=np.full(20, 0.011))
    return file


@pytest.fixture
def trial(tmp_path):
    """Make a trial's folder: idle commands, 20 of the policy, then those of the settling."""
    store = get_typestore(Stores.ROS2_JAZZY)
    kinds = store.types
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        pose, joint = 'geometry_msgs/msg/PoseStamped', 'sensor_msgs/msg/JointState'
        prefix = '/station_1/command/right'
        poses = writer.add_connection(f'{prefix}/target_pose', pose, typestore=store)
        widths = writer.add_connection(f'{prefix}/gripper/command', joint, typestore=store)
        positions = np.concatenate([path() + 1.0, path(), path() - 1.0])
        for index, position in enumerate(positions):
            stamp = START_NS + round((index - 20) * PERIOD * 1e9)
            time = kinds['builtin_interfaces/msg/Time'](stamp // 10**9, stamp % 10**9)
            header = kinds['std_msgs/msg/Header'](time, 'world')
            message = kinds[pose](
                header,
                kinds['geometry_msgs/msg/Pose'](
                    kinds['geometry_msgs/msg/Point'](*position),
                    kinds['geometry_msgs/msg/Quaternion'](1.0, 0.0, 0.0, 0.0),
                ),
            )
            writer.write(poses, stamp, store.serialize_cdr(message, pose))
            width = kinds[joint](header, ['gripper'], np.array([0.012]), np.zeros(0), np.zeros(0))
            writer.write(widths, stamp, store.serialize_cdr(width, joint))
    attempts = [{'start_ns': START_NS, 'steps': 20}]
    (tmp_path / 'trial.json').write_text(json.dumps({'attempts': attempts}), encoding='utf-8')
    return tmp_path


def test_an_archive_is_followed_step_by_step(archive):
    actions = play(registry.make('replay', {'source': str(archive)}))
    np.testing.assert_allclose([a.position + GOAL for a in actions], path())
    assert {a.gripper_width for a in actions} == {0.011}


def test_another_control_rate_keeps_the_pace(archive):
    actions = play(registry.make('replay', {'source': str(archive)}), rate=60.0)
    assert 38 <= len(actions) <= 40
    np.testing.assert_allclose(actions[20].position + GOAL, path()[10], atol=1e-9)


def test_a_bag_gives_the_policys_commands_and_no_others(trial):
    actions = play(registry.make('replay', {'source': str(trial)}))
    np.testing.assert_allclose([a.position + GOAL for a in actions], path(), atol=1e-12)
    assert {a.gripper_width for a in actions} == {0.012}


def test_the_bags_folder_will_do(trial):
    folder = registry.make('replay', {'source': str(trial / 'bag')})
    assert len(play(folder)) == 20


def test_the_digest_is_that_of_the_recording(trial):
    before = registry.digest('replay', {'source': str(trial)})
    (trial / 'trial.json').write_text('{"attempts": []}', encoding='utf-8')
    assert registry.digest('replay', {'source': str(trial)}) != before


@pytest.mark.parametrize(
    ('damage', 'values', 'said'),
    [
        (lambda t: None, {'source': ''}, 'is no trial'),
        (lambda t: None, {'attempt': 2}, 'cannot be replayed'),
        (lambda t: None, {'arm': 'left'}, 'lacks command/left/target_pose'),
        (lambda t: (t / 'trial.json').unlink(), {}, 'trial.json is missing'),
        (lambda t: (t / 'trial.json').write_text('{'), {}, 'cannot be replayed'),
        (lambda t: (t / 'trial.json').write_text(LATER), {}, 'holds 0 commands'),
    ],
)
def test_what_cannot_be_replayed_is_refused(trial, damage, values, said):
    damage(trial)
    with pytest.raises(StationError, match=said) as caught:
        registry.make('replay', {'source': str(trial), **values})
    assert caught.value.code == ErrorCode.POLICY_BAD_PARAMETER


def test_an_archive_with_nan_is_refused(tmp_path):
    np.savez(
        tmp_path / 'a.npz',
        time=np.zeros(1),
        position=np.full((1, 3), np.nan),
        gripper_width=np.zeros(1),
    )
    with pytest.raises(StationError, match='not all of them whole'):
        registry.make('replay', {'source': str(tmp_path / 'a.npz')})
