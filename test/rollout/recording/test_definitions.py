"""Message definitions as rosbag2 stores them."""

import pytest
from rosbags.typesys import get_types_from_msg, get_typestore, Stores

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.recording.definitions import definition_of

_LINE = '=' * 80


def test_contained_messages_follow_once_each_in_the_order_of_their_names():
    text = definition_of('geometry_msgs/msg/PoseStamped').text
    names = [line[5:] for line in text.splitlines() if line.startswith('MSG: ')]
    assert names == [
        'geometry_msgs/Pose',
        'geometry_msgs/Point',
        'geometry_msgs/Quaternion',
        'std_msgs/Header',
        'builtin_interfaces/Time',
    ]
    assert f'\n{_LINE}\nMSG: std_msgs/Header\n' in text


@pytest.mark.parametrize(
    'message_type',
    [
        'enpire_msgs/msg/Trial',
        'enpire_msgs/msg/StationState',
        'diagnostic_msgs/msg/DiagnosticArray',
        'sensor_msgs/msg/CompressedImage',
        'action_msgs/msg/GoalStatusArray',
    ],
)
def test_text_and_hash_agree_with_an_independent_implementation(message_type):
    definition = definition_of(message_type)
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(definition.text, message_type))
    assert store.hash_rihs01(message_type) == definition.type_hash


@pytest.mark.parametrize('name', ['nobody_msgs/msg/Thing', 'std_msgs/msg/Nothing', 'nonsense', ''])
def test_a_type_that_is_not_installed_is_named(name):
    with pytest.raises(StationError, match='not installed') as caught:
        definition_of(name)
    assert caught.value.code is ErrorCode.RECORDER_TOPIC_MISSING


def test_fields_of_every_form_are_understood(tmp_path, monkeypatch):
    share = tmp_path / 'share' / 'odd_msgs' / 'msg'
    share.mkdir(parents=True)
    (share / 'Inner.msg').write_text('float64 x\n')
    (share / 'Outer.msg').write_text(
        '# Inner comment\n'
        'uint8 CONSTANT=3\n'
        'string<=5 name "Inner"\n'
        'string[<=3] names\n'
        'Inner[<=4] some   # odd_msgs/Missing\n'
        'odd_msgs/Inner one\n'
        'float32[3] fixed [1.0, 2.0, 3.0]\n'
    )
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    definition = definition_of('odd_msgs/msg/Outer')
    assert definition.text.count('MSG: ') == 1
    assert definition.text.endswith('MSG: odd_msgs/Inner\nfloat64 x\n')
    assert definition.type_hash == ''
