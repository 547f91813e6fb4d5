"""What a research workspace may import: recorded trials, recipes, checkpoints, curves.

The policy and training code of a workspace is written against this package and nothing else of
ours; neither ROS nor torch is imported by it.
"""

from enpire_nodes.improvement.checkpoints import CheckpointStore, DiskFullError, load_weights
from enpire_nodes.improvement.curves import Curves
from enpire_nodes.improvement.policy_check import check_policy
from enpire_nodes.improvement.recipes import read_recipe, recipe_from, RecipeError
from enpire_nodes.improvement.recorded import RecordedAttempt, RecordedTrial
from enpire_nodes.improvement.replay_store import ReplayStore
from enpire_nodes.improvement.session import DataMissingError, program, Session
from enpire_nodes.rollout.controllers.interface import (
    Action,
    AttemptContext,
    Features,
    PreviousAttempt,
)
from enpire_nodes.rollout.controllers.motion import archimedean, spiral_step, towards
from enpire_nodes.rollout.controllers.settings import setting

__all__ = [
    'Action',
    'AttemptContext',
    'CheckpointStore',
    'DataMissingError',
    'Curves',
    'DiskFullError',
    'Features',
    'PreviousAttempt',
    'RecipeError',
    'RecordedAttempt',
    'RecordedTrial',
    'ReplayStore',
    'Session',
    'archimedean',
    'check_policy',
    'load_weights',
    'program',
    'read_recipe',
    'recipe_from',
    'setting',
    'spiral_step',
    'towards',
]
