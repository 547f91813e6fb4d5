"""How to run the best recipe again: commands that the programs they name understand."""

from __future__ import annotations

import argparse
from dataclasses import replace
import shlex
import subprocess

import pytest

from enpire_nodes.cli import run as run_command
from enpire_nodes.evolution.accounting.run_log import RunLog
from enpire_nodes.evolution.hub.git import clean_environment, git
from enpire_nodes.evolution.report.reproduce import commands


@pytest.fixture
def log(finished) -> RunLog:
    return RunLog.read(finished[0])


def parsed(line: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    run_command.add_parser(parser.add_subparsers())
    return parser.parse_args(shlex.split(line)[1:])


def test_the_last_command_declares_the_same_block(log):
    (block,) = log.confirmations
    request = block.request
    asked = parsed(commands(log, request.commit)[-1])
    assert asked.confirm
    assert (asked.commit, asked.trials) == (request.commit, request.trials)
    assert (asked.attempts, asked.seeds) == (request.max_attempts, list(request.seeds))
    assert 'learned.policy=recipe/policy.py' in asked.settings


def test_settings_of_the_recipe_are_kept_and_its_files_are_those_of_the_clone(log):
    (block,) = log.confirmations
    settings = {
        'learned.policy': '/gone/policy.py', 'learned.explore': False, 'learned.images': 2,
        'learned.device': '', 'learned.checkpoint': '/gone/weights',
    }  # fmt: skip
    request = replace(block.request, controller_parameters=settings)
    other = replace(log, confirmations=[replace(block, request=request)])
    asked = parsed(commands(other, request.commit)[-1]).settings
    assert {'learned.explore=false', 'learned.images=2'} <= set(asked)
    assert not any('/gone' in setting or 'device' in setting for setting in asked)


def test_the_recipe_is_fetched_from_where_the_hub_is(log, tmp_path):
    (block,) = log.confirmations
    clone = commands(log, block.request.commit)[1]
    assert clone == 'git clone --quiet research/hub.git recipe'
    moved = replace(log, run=tmp_path)
    moved.__dict__['campaign'] = replace(log.campaign, hub='/a place/hub.git')
    assert commands(moved, block.request.commit)[1] == (
        "git clone --quiet '/a place/hub.git' recipe"
    )


def test_the_hub_gives_the_commit_that_is_named(copied):
    run, _ = copied
    log = RunLog.read(run)
    commit = log.confirmations[0].request.commit
    for line in commands(log, commit)[1:3]:
        subprocess.run(
            shlex.split(line), cwd=run, env=clean_environment(), check=True, timeout=60.0
        )
    assert git(run / 'recipe' / '.git', 'rev-parse', 'HEAD').text == commit
    assert (run / 'recipe' / 'train.py').is_file()


def test_what_was_not_confirmed_has_no_commands(log):
    assert commands(log, '') == []
    assert commands(log, log.campaign.base) == []
