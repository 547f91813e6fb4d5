"""Policies in files: how they are loaded, and what their digest covers."""

import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers import registry
from enpire_nodes.rollout.controllers.interface import AttemptContext

POLICY = """
from dataclasses import dataclass
import numpy as np
from enpire_test_gain import GAIN


@dataclass
class Memory:
    seen: int = 0


class Policy:
    def __init__(self, checkpoint):
        self.weights = np.load(checkpoint) if checkpoint else np.zeros(3)
        self.memory = Memory()

    def reset(self, context):
        self.memory = Memory(context.attempt)

    def step(self, features):
        return GAIN * self.weights + self.memory.seen
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'policy.py').write_text(POLICY, encoding='utf-8')
    (tmp_path / 'enpire_test_gain.py').write_text('GAIN = 2.0\n', encoding='utf-8')
    np.save(tmp_path / 'weights.npy', np.array([1.0, 2.0, 3.0]))
    return tmp_path


def values(folder):
    return {'policy': str(folder / 'policy.py'), 'checkpoint': str(folder / 'weights.npy')}


def test_a_policy_with_its_neighbours_and_weights_runs(folder):
    policy = registry.make('learned', values(folder))
    policy.reset(AttemptContext(attempt=2))
    np.testing.assert_allclose(policy.step({}), [4.0, 6.0, 8.0])


def test_the_digest_covers_the_policy_its_neighbours_and_the_weights(folder):
    seen = {registry.digest('learned', values(folder))}
    for name, content in (
        ('policy.py', b'# other\n'),
        ('enpire_test_gain.py', b'GAIN = 3.0\n'),
        ('weights.npy', b'other'),
    ):
        (folder / name).write_bytes(content)
        seen.add(registry.digest('learned', values(folder)))
    assert len(seen) == 4


def test_the_digest_ignores_what_is_not_the_policys(folder):
    before = registry.digest('learned', values(folder))
    for name in ('.venv', '__pycache__'):
        (folder / name).mkdir()
        (folder / name / 'x.py').write_text('', encoding='utf-8')
    (folder / 'notes.txt').write_text('', encoding='utf-8')
    assert registry.digest('learned', values(folder)) == before


@pytest.mark.parametrize(
    ('wrong', 'said'),
    [
        ({'policy': ''}, 'learned.policy is empty'),
        ({'policy': '/nonexistent/policy.py'}, 'no file /nonexistent/policy.py'),
        ({'checkpoint': '/nonexistent/weights.pt'}, 'learned.checkpoint: there is no file'),
    ],
)
def test_a_missing_file_is_refused_before_anything_runs(folder, wrong, said):
    with pytest.raises(StationError, match=said) as caught:
        registry.digest('learned', values(folder) | wrong)
    assert caught.value.code == ErrorCode.POLICY_BAD_PARAMETER


def test_a_link_to_weights_is_followed(folder):
    link = folder / 'current.npy'
    link.symlink_to('weights.npy')
    given = {**values(folder), 'checkpoint': str(link), 'images': 64}
    found = registry.pinned('learned', given)
    assert found == {**given, 'checkpoint': str(folder.resolve() / 'weights.npy')}
    assert given['checkpoint'] == str(link)
    assert registry.pinned('learned', found) == found


def test_a_link_of_a_folder_is_followed_too(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp('elsewhere') / 'link'
    place.symlink_to(folder)
    found = registry.pinned('learned', {'checkpoint': str(place / 'weights.npy')})
    assert found['checkpoint'] == str(folder.resolve() / 'weights.npy')


@pytest.mark.parametrize('given', [{}, {'checkpoint': ''}, {'policy': 'policy.py'}])
def test_without_weights_nothing_is_followed(given):
    assert registry.pinned('learned', given) == given


def test_a_link_that_leads_nowhere_is_named_when_it_is_used(folder):
    (folder / 'current.npy').symlink_to('gone.npy')
    given = {**values(folder), 'checkpoint': str(folder / 'current.npy')}
    with pytest.raises(StationError, match=r'learned\.checkpoint: there is no file .*gone\.npy'):
        registry.digest('learned', registry.pinned('learned', given))
