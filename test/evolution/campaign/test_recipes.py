"""From a commit to what the station runs: files, weights, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
import json

import numpy as np
import pytest
from safetensors.numpy import save

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.campaign.artifacts import Artifacts
from enpire_nodes.evolution.campaign.recipes import Recipes
from enpire_nodes.evolution.hub.repository import Hub

SEARCH = {'policy.py': b'class Policy: ...\n', 'recipe.yaml': b'algorithm: search\n'}


@pytest.fixture
def made(tmp_path) -> Callable[..., Recipes]:
    """Return the recipes of a hub whose main holds some files."""

    def make(**changes: bytes | None) -> Recipes:
        seed = tmp_path / 'seed'
        seed.mkdir()
        for name, content in {**SEARCH, **changes}.items():
            if content is not None:
                (seed / name).write_bytes(content)
        hub = Hub.create(tmp_path / 'hub.git', seed=seed)
        return Recipes(hub, tmp_path / 'recipes', Artifacts(tmp_path / 'artifacts'))

    return make


def weights(about: object) -> bytes:
    return save({'w': np.zeros(2, np.float32)}, {'about': json.dumps(about)})


def refusal(recipes: Recipes, digest: str = '') -> StationError:
    with pytest.raises(StationError) as caught:
        recipes.arm('main', digest, 'r')
    return caught.value


def test_an_arm_says_all_that_the_runner_needs(made):
    recipes = made()
    arm = recipes.arm('main', '', 'r', explore=True)
    assert (arm.request_id, arm.commit, arm.weights) == ('r', recipes.hub.main, '')
    assert arm.idea == recipes.hub.subject('main')
    policy = recipes.folder / recipes.hub.main / 'policy.py'
    assert policy.read_bytes() == SEARCH['policy.py']
    assert arm.settings == {
        'learned.policy': str(policy),
        'learned.checkpoint': '',
        'learned.images': 0,
        'learned.explore': True,
    }


def test_a_commit_is_exported_once(made, monkeypatch):
    recipes = made()
    exported, real = [], Hub.export

    def counted(hub, commit, folder):
        exported.append(commit)
        real(hub, commit, folder)

    monkeypatch.setattr(Hub, 'export', counted)
    recipes.arm('main', '', 'a')
    recipes.arm(recipes.hub.main[:10], '', 'b')
    assert exported == [recipes.hub.main]


def test_a_commit_without_a_policy_is_refused(made):
    error = refusal(made(**{'policy.py': None}))
    assert error.code is ErrorCode.SUPERVISOR_JOB_REFUSED
    assert 'no policy.py' in error.message


def test_a_folder_is_no_policy(made):
    recipes = made(**{'policy.py': None})
    place = recipes.export(recipes.hub.main)
    place.chmod(0o755)
    (place / 'policy.py').mkdir()
    assert 'no policy.py' in refusal(recipes).message


@pytest.mark.parametrize(
    'content',
    [
        None,
        b'algorithm: [\n',
        b'algorithm: \xff\xfe\n',
        b'algorithm: ' + b'[' * 5000 + b'\n',
    ],
    ids=['none', 'no yaml', 'no text', 'too deep'],
)
def test_a_recipe_that_cannot_be_read_is_refused(made, content):
    error = refusal(made(**{'recipe.yaml': content}))
    assert error.code is ErrorCode.SUPERVISOR_JOB_REFUSED
    assert 'recipe.yaml' in error.message
    assert 'cannot be read' in error.message


@pytest.mark.parametrize('value', [b'2026-99-99', b'!!bool x', b'!!int ""', b'!!timestamp x'])
def test_a_value_that_is_not_of_its_kind_does_not_matter(made, value):
    """YAML's own types fail with anything but an error of YAML."""
    recipes = made(**{'recipe.yaml': b'algorithm: search\nother: ' + value + b'\n'})
    assert not recipes.needs_weights(recipes.hub.main)


@pytest.mark.parametrize(
    ('content', 'needs'),
    [
        (b'algorithm: search\n', False),
        (b'algorithm: bc\n', True),
        (b'', True),
        (b'- algorithm\n- search\n', True),
        (b'{"algorithm": "search"}', False),
    ],
)
def test_only_a_search_needs_no_weights(made, content, needs):
    recipes = made(**{'recipe.yaml': content})
    assert recipes.needs_weights(recipes.hub.main) is needs
    if needs:
        assert 'enpire train' in refusal(recipes).message


@pytest.mark.parametrize(
    ('about', 'images'),
    [
        ({'recipe': {'observation': {'images': 96}}}, 96),
        ({'recipe': {'observation': {'images': 256}}}, 256),
        ({'recipe': {'observation': {}}}, 0),
        ({'recipe': {}}, 0),
        ({}, 0),
    ],
)
def test_weights_say_what_pictures_they_are_shown(made, about, images):
    recipes = made(**{'recipe.yaml': b'algorithm: bc\n'})
    digest = recipes.artifacts.store(weights(about))
    arm = recipes.arm('main', digest, 'r')
    assert arm.weights == digest
    assert arm.settings['learned.images'] == images
    assert arm.settings['learned.checkpoint'] == str(recipes.artifacts.file(digest))


@pytest.mark.parametrize('images', [257, -1, 96.0, '96', True, None, [96]])
def test_pictures_that_no_policy_can_be_shown_are_refused(made, images):
    recipes = made()
    digest = recipes.artifacts.store(weights({'recipe': {'observation': {'images': images}}}))
    error = refusal(recipes, digest)
    assert error.code is ErrorCode.SUPERVISOR_JOB_REFUSED
    assert digest[:12] in error.message


@pytest.mark.parametrize(
    'about', [[], 'recipe', {'recipe': []}, {'recipe': {'observation': 'all'}}]
)
def test_weights_that_describe_something_else_are_refused(made, about):
    recipes = made()
    error = refusal(recipes, recipes.artifacts.store(weights(about)))
    assert error.code is ErrorCode.SUPERVISOR_JOB_REFUSED


def test_a_file_that_holds_no_weights_is_refused(made):
    recipes = made()
    error = refusal(recipes, recipes.artifacts.store(b'no weights'))
    assert error.code is ErrorCode.IMPROVEMENT_CHECKPOINT_UNUSABLE
    assert refusal(recipes, 'f' * 64).code is ErrorCode.HUB_ARTIFACT_UNKNOWN
