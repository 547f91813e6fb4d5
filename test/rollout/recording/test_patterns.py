"""Names with wildcards."""

import pytest

from enpire_nodes.rollout.recording.patterns import absolute, matches, matching


@pytest.mark.parametrize(
    ('pattern', 'namespace', 'expected'),
    [
        ('joint_states', '/station_1', '/station_1/joint_states'),
        ('*/tcp_pose', '/lab/station_1', '/lab/station_1/*/tcp_pose'),
        ('/clock', '/station_1', '/clock'),
        ('a', '/', '/a'),
    ],
)
def test_patterns_are_relative_to_the_station(pattern, namespace, expected):
    assert absolute(pattern, namespace) == expected


def test_a_star_stays_within_one_part_of_a_name():
    assert matches('/s/*/tcp_pose', '/s/right/tcp_pose')
    assert not matches('/s/*/tcp_pose', '/s/ground_truth/right/tcp_pose')
    assert not matches('/s/*', '/s')
    assert matches('/s/cam*', '/s/camera')
    assert not matches('/s/Right', '/s/right')


def test_matches_are_sorted():
    assert matching('/s/*', ['/s/b', '/t/a', '/s/a']) == ['/s/a', '/s/b']
