"""The night in miniature, as far as it can be had without the real agents."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
import subprocess
import sys

from agents_night import research_script
from agents_night.install import PACKAGES
from agents_night.scripts import numbered, tokens
import pytest
from scripted_model import ScriptedModel, Step

from enpire_nodes.benchmark.research.simulated import template_files
from enpire_nodes.evolution.agents import claude, codex, kimi
from enpire_nodes.evolution.researcher.start import start_files

SCRIPTS = Path(__file__).parents[3] / 'scripts'
MODULES = sorted(path.stem for path in (SCRIPTS / 'agents_night').glob('[a-z]*.py'))


@pytest.mark.parametrize('name', MODULES)
def test_every_part_can_be_imported(name):
    assert import_module(f'agents_night.{name}').__doc__


def test_what_is_installed_is_what_the_adapters_know():
    assert list(PACKAGES.values()) == [claude.KNOWN, codex.KNOWN, kimi.KNOWN]


def test_the_station_of_a_night_asks_the_scripted_model(tmp_path):
    from agents_night.campaign import Campaign, configuration_of

    run = tmp_path / 'run'
    configuration = configuration_of(run, 'http://127.0.0.1:9', tmp_path / 'key')
    supervisor = configuration.parameters['agent_supervisor']
    assert supervisor['model_url'] == 'http://127.0.0.1:9'
    assert supervisor['model_key_file'] == str(tmp_path / 'key')
    with ScriptedModel([Step(say='x')]) as model:
        assert not Campaign(run, model).begun


def test_the_idea_fits_the_start_and_is_made_once(tmp_path):
    path = tmp_path / 'algorithms' / 'search.py'
    path.parent.mkdir()
    path.write_text(start_files(template_files())['algorithms/search.py'])
    made = []
    for _ in range(2):
        words = [sys.executable, '-c', research_script._EDIT]
        subprocess.run(words, cwd=tmp_path, check=True, timeout=50)
        made.append(path.read_text())
    assert made[0] == made[1]
    assert made[0].count('goal[:2] = self._seen\n') == 1
    compile(made[0], 'search.py', 'exec')


def test_no_two_steps_take_the_same():
    steps = numbered(research_script.proposing())
    assert len({step.tokens for step in steps}) == len(steps)
    assert steps[3].tokens == tokens(3)
