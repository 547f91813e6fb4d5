"""The recipes that are compared: each one is a recipe."""

import importlib.util
from pathlib import Path
import sys

import pytest
import yaml

from enpire_nodes.benchmark.learning.course import Job, prepare
from enpire_nodes.benchmark.learning.variants import CLAIMS, VARIANTS
from enpire_nodes.improvement.recipes import read_recipe
import enpire_nodes.improvement.workspace as workspaces

TEMPLATE = Path(workspaces.__file__).with_name('template')


@pytest.fixture(scope='module')
def schema():
    """Return the recipe's dataclass of the template, under a name of the test's own."""
    spec = importlib.util.spec_from_file_location('recipe_of_template', TEMPLATE / 'recipe.py')
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module.Recipe
    del sys.modules[spec.name]


def value(recipe, dotted):
    for name in dotted.split('.'):
        recipe = getattr(recipe, name) if not isinstance(recipe, dict) else recipe[name]
    return recipe


@pytest.mark.parametrize('variant', VARIANTS, ids=lambda variant: variant.name)
def test_a_variant_changes_settings_that_the_template_has(variant, tmp_path, schema):
    plain = yaml.safe_load((TEMPLATE / 'recipe.yaml').read_text('utf-8'))
    for dotted in variant.changes:
        value(plain, dotted)  # a typing error would add a setting, and change nothing
    job = Job(
        variant.name, variant.changes, 7, tmp_path / 'mine', tmp_path, 1.0, 4, tmp_path / 'x.json'
    )
    recipe = read_recipe(prepare(job).recipe, schema)
    for dotted, wanted in {**variant.changes, 'training.seed': 7}.items():
        assert value(recipe, dotted) == wanted
    assert prepare(job).path == job.workspace, 'a second time it is the same'


def test_variants_differ_in_what_they_do(schema, tmp_path):
    default = read_recipe(TEMPLATE / 'recipe.yaml', schema)
    seen = {}
    for variant in VARIANTS:
        settings = {name: value(default, name) for one in VARIANTS for name in one.changes}
        key = tuple(sorted({**settings, **variant.changes}.items(), key=str))
        assert key not in seen, f'{variant.name} is {seen.get(key)}'
        seen[key] = variant.name
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)


def test_what_learns_online_is_told_apart():
    online = {variant.name: variant.online for variant in VARIANTS}
    assert [name for name in online if not online[name]] == ['bc', 'search']


def test_claims_are_about_variants():
    names = {variant.name for variant in VARIANTS}
    for claim in CLAIMS:
        assert {claim.better, claim.worse} <= names
        assert claim.better != claim.worse
