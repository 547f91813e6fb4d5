"""metadata.yaml against what rosbag2 of Jazzy requires."""

import pytest
from rosbags.rosbag2.metadata import dump_qos_v9, parse_qos
import yaml

from enpire_nodes.rollout.recording import metadata
from enpire_nodes.rollout.recording.metadata import OfferedQos, TopicSummary

INFINITE = {'sec': 9223372036, 'nsec': 854775807}
LATCHED = OfferedQos(durability='transient_local', history='keep_last', depth=1)


def document(messages=3):
    return metadata.bag_document(
        file_name='bag_0.mcap',
        start_ns=1_000,
        end_ns=5_000,
        topics=[TopicSummary('/a', 'std_msgs/msg/String', 'RIHS01_x', (LATCHED,), messages)],
        custom_data={'trial_id': '12'},
        ros_distro='jazzy',
    )


# Every key that yaml-cpp's convert<BagMetadata>::decode of rosbag2_storage (jazzy) reads without
# a default for version 9, and what it reads it as.
_REQUIRED = {
    'version': int,
    'storage_identifier': str,
    'message_count': int,
    'compression_format': str,
    'compression_mode': str,
    'relative_file_paths': list,
    'files': list,
    'custom_data': dict,
    'ros_distro': str,
    'topics_with_message_count': list,
}


def test_every_field_that_rosbag2_decodes_is_there():
    info = yaml.safe_load(metadata.dump(document()))['rosbag2_bagfile_information']
    for name, kind in _REQUIRED.items():
        assert isinstance(info[name], kind), name
    assert info['version'] == 9
    assert info['duration'] == {'nanoseconds': 4_000}
    assert info['starting_time'] == {'nanoseconds_since_epoch': 1_000}
    assert info['custom_data'] == {'trial_id': '12'}
    (file,) = info['files']
    assert file == {
        'path': 'bag_0.mcap',
        'starting_time': {'nanoseconds_since_epoch': 1_000},
        'duration': {'nanoseconds': 4_000},
        'message_count': 3,
    }
    (topic,) = info['topics_with_message_count']
    assert topic['message_count'] == 3
    assert topic['topic_metadata'] == {
        'name': '/a',
        'type': 'std_msgs/msg/String',
        'serialization_format': 'cdr',
        'type_description_hash': 'RIHS01_x',
        'offered_qos_profiles': [
            {
                'history': 'keep_last',
                'depth': 1,
                'reliability': 'reliable',
                'durability': 'transient_local',
                'deadline': INFINITE,
                'lifespan': INFINITE,
                'liveliness': 'automatic',
                'liveliness_lease_duration': INFINITE,
                'avoid_ros_namespace_conventions': False,
            }
        ],
    }


def test_a_bag_without_messages_has_no_start_and_no_length():
    info = document(messages=0)
    assert info['duration'] == {'nanoseconds': 0}
    assert info['starting_time']['nanoseconds_since_epoch'] == 2**63 - 1


@pytest.mark.parametrize('profile', [OfferedQos(), LATCHED, OfferedQos(deadline_ns=1_500_000_000)])
def test_profiles_agree_with_an_independent_implementation(profile):
    text = metadata.dump_qos((profile,))
    assert dump_qos_v9(parse_qos(text)) == yaml.safe_load(text) == [profile.document()]
    assert OfferedQos.from_document(profile.document()) == profile


def test_the_record_within_the_file_has_no_top_key():
    assert yaml.safe_load(metadata.dump_bare(document())) == document()
