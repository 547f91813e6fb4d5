"""The judge of a node, with and without the weights of learned eyes."""

from pathlib import Path

import numpy as np
import pytest

from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.context import load_context, TASK_PARAMETERS
from enpire_nodes.environment.learned.network import Architecture
from enpire_nodes.environment.learned.thresholds import Range
from enpire_nodes.environment.learned.weights import EyeWeights, save_weights, Weights
from enpire_nodes.simulation.settings import load_station
from enpire_nodes.tasks import registry
from enpire_nodes.tasks.pin_insertion.task import PinInsertion

STATION = Path(__file__).parents[2] / 'config' / 'stations' / 'simulated.yaml'


class GivenParameters:
    """A node that has parameters and nothing else."""

    def __init__(self, **given):
        self.values = {spec.name: spec.default for spec in TASK_PARAMETERS} | given

    def get_parameter(self, name):
        return type('Parameter', (), {'value': self.values[name]})


@pytest.fixture
def weights(tmp_path):
    cameras = cameras_from_settings(load_station(STATION)['cameras'])
    architecture = Architecture(64, (2,), (3,), 2)
    arrays = {name: np.zeros(shape, np.float32) for name, shape in architecture.shapes().items()}
    eyes = {
        name: EyeWeights(crop, architecture, arrays, 1.0, Range(0.3, 0.7))
        for name, crop in PinInsertion().crops(cameras).items()
    }
    path = tmp_path / 'weights.npz'
    save_weights(Weights('pin_insertion', eyes), path)
    return path


def test_without_weights_the_judge_is_geometry_and_force_alone():
    context = load_context(GivenParameters(), otherwise=ErrorCode.REWARD_INTERNAL)
    assert context.setup.eyes is None
    assert context.verifier().digest == context.task.digest()


def test_with_weights_every_camera_has_an_eye_and_the_digest_says_so(weights):
    context = load_context(
        GivenParameters(weights_file=str(weights)), otherwise=ErrorCode.REWARD_INTERNAL
    )
    assert set(context.setup.eyes) == {'side', 'front'}
    assert context.verifier().digest != context.task.digest()
    assert context.verifier() is not context.verifier()


def test_bad_weights_keep_their_own_error(tmp_path):
    (tmp_path / 'weights.npz').write_bytes(b'PK')
    for path in (tmp_path / 'weights.npz', tmp_path / 'none.npz'):
        with pytest.raises(StationError, match=path.name) as caught:
            load_context(
                GivenParameters(weights_file=str(path)), otherwise=ErrorCode.REWARD_INTERNAL
            )
        assert caught.value.code is ErrorCode.ENVIRONMENT_WEIGHTS_UNUSABLE


def test_a_task_without_learned_eyes_refuses_weights(weights, monkeypatch):
    monkeypatch.setitem(registry.BUILT_IN, 'fake', 'environment.doubles:FakeTask')
    given = {'task': 'fake', 'task_file': str(STATION), 'weights_file': str(weights)}
    with pytest.raises(StationError, match='no `crops`'):
        load_context(GivenParameters(**given), otherwise=ErrorCode.REWARD_INTERNAL)
