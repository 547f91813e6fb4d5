"""What the station is told to run: the policy of a workspace, with or without weights."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement.selection import learned_settings
from enpire_nodes.improvement.workspace import Workspace
from enpire_nodes.rollout.controllers.learned import LearnedSettings
from enpire_nodes.rollout.controllers.settings import build


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.policy.write_text('', 'utf-8')
    workspace.checkpoints.mkdir(parents=True)
    workspace.recipe.write_text('algorithm: bc\n', 'utf-8')
    return workspace


def publish(workspace, images=0):
    about = f'{{"recipe": {{"observation": {{"images": {images}}}}}}}'
    save_file({'a': np.zeros(1)}, workspace.checkpoints / 'abc.safetensors', {'about': about})
    workspace.current.symlink_to('abc.safetensors')


@pytest.mark.parametrize('images', [0, 64])
def test_the_published_weights_are_followed_with_the_pictures_they_want(workspace, images):
    publish(workspace, images)
    found = learned_settings(workspace, explore=True)
    assert found == {
        'policy': str(workspace.policy),
        'explore': True,
        'checkpoint': str(workspace.current),  # the link: the station follows it for each trial
        'images': images,
    }
    build(LearnedSettings, found)


def test_weights_may_be_named(workspace, monkeypatch):
    publish(workspace)
    monkeypatch.chdir(workspace.checkpoints)
    found = learned_settings(workspace, weights=Path('abc.safetensors'))
    assert found['checkpoint'] == str(workspace.checkpoints / 'abc.safetensors')
    assert found['explore'] is False


def test_without_weights_it_says_how_to_get_some(workspace):
    with pytest.raises(StationError, match=r'run `enpire train`') as caught:
        learned_settings(workspace)
    assert caught.value.code == ErrorCode.IMPROVEMENT_CHECKPOINT_UNUSABLE


def test_a_link_that_leads_nowhere_is_no_weights(workspace):
    workspace.current.symlink_to('gone.safetensors')
    with pytest.raises(StationError, match='there are no weights'):
        learned_settings(workspace)


def test_the_search_needs_no_weights_but_takes_those_that_are_named(workspace):
    workspace.recipe.write_text('algorithm: search\n', 'utf-8')
    publish(workspace, 32)
    assert learned_settings(workspace)['checkpoint'] == ''
    named = learned_settings(workspace, weights=workspace.current)
    assert (named['checkpoint'], named['images']) == (str(workspace.current), 32)


def test_weights_that_are_damaged_are_told(workspace):
    publish(workspace)
    (workspace.checkpoints / 'abc.safetensors').write_bytes(b'damaged')
    with pytest.raises(StationError) as caught:
        learned_settings(workspace)
    assert caught.value.code == ErrorCode.IMPROVEMENT_CHECKPOINT_UNUSABLE


@pytest.mark.parametrize('content', [b'algorithm: [', b'\xff\xfe\x00', None])
def test_a_recipe_that_cannot_be_read_is_told(workspace, content):
    publish(workspace)
    workspace.recipe.unlink()
    if content is not None:
        workspace.recipe.write_bytes(content)
    with pytest.raises(StationError, match=r'recipe\.yaml') as caught:
        learned_settings(workspace)
    assert caught.value.code == ErrorCode.IMPROVEMENT_RECIPE_INVALID
