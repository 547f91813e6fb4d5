"""The topic ``policy/features``: what a policy is told, for the bag of its trial."""

from __future__ import annotations

from builtin_interfaces.msg import Time
import numpy as np

from enpire_msgs.action import ExecutePolicy
from enpire_msgs.msg import PolicyFeatures
from enpire_nodes.rollout.policy.attempt import AttemptMotion
from enpire_nodes.ros import qos
from enpire_nodes.ros.convert import WORLD
from enpire_nodes.ros.node import StationNode


class FeaturesTopic:
    """Publishes the features of every control period of an attempt.

    :param node: whose topic it is.
    """

    def __init__(self, node: StationNode) -> None:
        self._node = node
        self._publisher = node.create_publisher(PolicyFeatures, 'policy/features', qos.ARM_STATE)

    def publish(self, goal: ExecutePolicy.Goal, motion: AttemptMotion, stamp: Time) -> None:
        """Publish what has just been sensed.

        :param stamp: of the control period.
        """
        features = motion.features
        message = PolicyFeatures(
            trial_id=goal.trial_id,
            attempt=goal.attempt,
            step=motion.steps,
            names=list(features),
            sizes=[values.size for values in features.values()],
            values=np.concatenate([values.ravel() for values in features.values()]).tolist(),
        )
        message.header.stamp, message.header.frame_id = stamp, WORLD
        self._publisher.publish(message)

    def destroy(self) -> None:
        """Take the topic away."""
        self._node.destroy_publisher(self._publisher)
