"""The topic of what a policy is told: complete, in order, and as the learner reads it."""

from builtin_interfaces.msg import Time
import numpy as np
import pytest

from enpire_msgs.action import ExecutePolicy
from enpire_msgs.msg import PolicyFeatures
from enpire_nodes.rollout.policy_features import FeaturesTopic
from enpire_nodes.ros import qos

pytestmark = pytest.mark.ros


class Motion:
    """What an attempt knows of itself."""

    steps = 0

    def __init__(self):
        self.features = {
            'tcp': np.array([0.1, -0.2, 0.3]),
            'tip_valid': np.ones(1),
            'grid': np.arange(4.0).reshape(2, 2),
            'nothing': np.zeros(0),
        }


@pytest.fixture
def topic(ros):
    received = ros.collect(PolicyFeatures, 'policy/features', qos.ARM_STATE)
    topic = FeaturesTopic(ros.node)
    name = f'{ros.node.get_namespace()}/policy/features'
    ros.wait_until(
        lambda: ros.node.count_publishers(name) and topic._publisher.get_subscription_count()
    )
    topic.received, topic.name = received, name
    return topic


def test_what_is_told_is_published(ros, topic):
    goal, motion = ExecutePolicy.Goal(trial_id='trial_7', attempt=2), Motion()
    for motion.steps in range(3):
        motion.features['tcp'] = np.array([0.1, -0.2, 0.3 + motion.steps])
        topic.publish(goal, motion, Time(sec=5, nanosec=motion.steps))
    ros.wait_until(lambda: len(topic.received) == 3)
    for step, message in enumerate(topic.received):
        assert (message.trial_id, message.attempt, message.step) == ('trial_7', 2, step)
        assert (message.header.stamp.sec, message.header.stamp.nanosec) == (5, step)
        assert message.header.frame_id == 'world'
        assert message.names == ['tcp', 'tip_valid', 'grid', 'nothing']
        assert list(message.sizes) == [3, 1, 4, 0]
        parts = np.split(np.asarray(message.values), np.cumsum(message.sizes)[:-1])
        for values, wanted in zip(parts, motion.features.values(), strict=True):
            if wanted.size != 3:
                np.testing.assert_array_equal(values, wanted.ravel())
        np.testing.assert_array_equal(parts[0], [0.1, -0.2, 0.3 + step])


def test_the_topic_goes_with_the_policy(ros, topic):
    topic.destroy()
    ros.wait_until(lambda: ros.node.count_publishers(topic.name) == 0)
