"""Policies that are tried before a robot tries them."""

import pytest

from enpire_nodes.benchmark.research.simulated import template_files
from enpire_nodes.common.errors import StationError
from enpire_nodes.evolution.researcher import rehearsal
from enpire_nodes.evolution.researcher.catalogue import CATALOGUE
from enpire_nodes.evolution.researcher.edits import apply
from enpire_nodes.evolution.researcher.rehearsal import rehearse
from enpire_nodes.evolution.researcher.start import make_start


@pytest.fixture
def folder(tmp_path):
    for path, text in template_files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, 'utf-8')
    make_start(tmp_path)
    return tmp_path


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_text('utf-8')
        for path in folder.rglob('*')
        if path.suffix in ('.py', '.yaml')
    }


def test_the_start_and_all_code_ideas_together_run(folder):
    rehearse(folder)
    for kind in CATALOGUE:
        if kind.adds:
            for path, text in apply(files_of(folder), kind.every()[0].ways()[0]).items():
                (folder / path).write_text(text, 'utf-8')
    rehearse(folder)


def test_a_policy_that_raises_is_refused(folder):
    place = folder / 'algorithms' / 'search.py'
    place.write_text(place.read_text('utf-8').replace('return step', 'return steps'), 'utf-8')
    with pytest.raises(StationError, match='steps'):
        rehearse(folder)


@pytest.mark.parametrize(
    ('policy', 'words'),
    [
        (
            "import sys, time\nprint('hm', file=sys.stderr, flush=True)\ntime.sleep(600)",
            'not ended',
        ),
        ('raise SystemExit(3)', 'exit status 3'),
    ],
)
def test_a_policy_that_hangs_or_ends_is_refused_in_words(tmp_path, monkeypatch, policy, words):
    monkeypatch.setattr(rehearsal, '_DEADLINE', 8.0 if 'sleep' in policy else 60.0)
    (tmp_path / 'policy.py').write_text(policy)
    with pytest.raises(StationError, match=words):
        rehearse(tmp_path)


def test_a_motion_that_is_no_number_is_refused(folder):
    place = folder / 'algorithms' / 'search.py'
    place.write_text(place.read_text('utf-8').replace('return step', 'return step * np.nan'))
    with pytest.raises(StationError, match='no motion'):
        rehearse(folder)
