"""Edits, and every idea of the catalogue on the files that it is for."""

import pytest

from enpire_nodes.benchmark.research.simulated import template_files
from enpire_nodes.common.errors import StationError
from enpire_nodes.evolution.researcher.catalogue import CATALOGUE, idea_named
from enpire_nodes.evolution.researcher.edits import apply, Constant, Replace, Setting
from enpire_nodes.evolution.researcher.start import start_files


@pytest.fixture(scope='module')
def template():
    return template_files()


@pytest.fixture(scope='module')
def start(template):
    return {**template, **start_files(template)}


def made(idea, files):
    for edits in idea.ways():
        try:
            return apply(files, edits)
        except StationError:
            continue
    return None


def test_a_setting_keeps_its_comment(template):
    text = Setting('action.time_limit', 12.0)(template['recipe.yaml'])
    assert '  # after which the policy gives an attempt up [s]\n  time_limit: 12.0\n' in text
    assert len(text.splitlines()) == len(template['recipe.yaml'].splitlines())


def test_one_constant_of_a_tuple_changes(template):
    text = Constant('algorithms/search.py', '_PITCH', 0.002)(template['algorithms/search.py'])
    assert '_PITCH, _RADIUS = 0.002, 0.011  # m' in text


@pytest.mark.parametrize(
    'edit',
    [
        Replace('policy.py', 'no such line', ''),
        Replace('policy.py', 'self._', ''),
        Replace('nowhere.py', 'x', 'y'),
        Constant('policy.py', '_NOTHING', 1.0),
        Setting('action.nothing', 1),
    ],
)
def test_an_edit_without_its_place_is_refused(template, edit):
    with pytest.raises(StationError):
        apply(template, [edit])


def test_an_edit_that_breaks_the_file_is_refused(template):
    with pytest.raises(StationError, match='parse'):
        apply(template, [Replace('policy.py', 'class Policy:', 'class Policy')])


def test_an_edit_that_changes_nothing_is_refused(template):
    with pytest.raises(StationError, match='nothing'):
        apply(template, [Setting('algorithm', 'bc_rl')])


def test_every_idea_fits_the_start_or_the_template_and_compiles(template, start):
    for kind in CATALOGUE:
        for idea in kind.every():
            fits = [made(idea, files) for files in (start, template)]
            assert any(fits), idea.name
            assert idea_named(idea.name).sentence == idea.sentence


def test_code_ideas_can_be_combined(start):
    files = dict(start)
    for kind in CATALOGUE:
        if kind.adds:
            changed = made(kind.every()[0], files)
            assert changed, kind.key
            files.update(changed)
    assert files['algorithms/search.py'] != start['algorithms/search.py']


def test_no_two_ideas_have_a_name():
    names = [idea.name for kind in CATALOGUE for idea in kind.every()]
    assert len(names) == len(set(names))
