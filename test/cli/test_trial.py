"""``enpire trial``: the policy of a workspace, as the station is asked for it."""

import json

import pytest

pytest.importorskip('rclpy')

import numpy as np
from safetensors.numpy import save_file

from enpire_nodes.cli import run as trials
from enpire_nodes.cli.main import main
from enpire_nodes.improvement.workspace import Workspace
from enpire_nodes.rollout.controllers.learned import LearnedSettings
from enpire_nodes.rollout.controllers.settings import build
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.records import RequestRecord


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    workspace = Workspace.create(
        tmp_path / 'my work: #1', task='pin_insertion', runs=[tmp_path / 'run'], station='/s_4'
    )
    monkeypatch.chdir(workspace.path)
    return workspace


@pytest.fixture
def asked(monkeypatch):
    """Catch what the station would be asked for."""
    caught = []

    def run(args):
        caught.append(args)
        return 7

    monkeypatch.setattr(trials, 'run', run)
    return caught


def publish(workspace, images=0):
    workspace.checkpoints.mkdir(parents=True)
    about = json.dumps({'recipe': {'observation': {'images': images}}})
    save_file({'a': np.zeros(1)}, workspace.checkpoints / 'abc.safetensors', {'about': about})
    workspace.current.symlink_to('abc.safetensors')


def settings(asked):
    """Read the settings as ``enpire run`` does, and check them as the station does."""
    (args,) = asked
    values = trials.parse_settings(args.settings)
    build(LearnedSettings, values)
    return values


def test_the_published_policy_is_asked_for(workspace, asked):
    publish(workspace, images=64)
    assert main(['trial']) == 7
    assert settings(asked) == {
        'policy': str(workspace.policy), 'explore': False, 'checkpoint': str(workspace.current),
        'images': 64,
    }  # fmt: skip
    (args,) = asked
    assert (args.controller, args.station) == ('learned', '/s_4')
    assert (args.trials, args.attempts, args.seeds) == (10, 8, [])
    assert args.commit == workspace.commit()
    assert args.idea == 'Start on pin_insertion from the template'
    assert (args.request, args.requester, args.confirm, args.wait) == (
        '', 'operator', False, 60.0,
    )  # fmt: skip


def test_everything_that_is_asked_for_is_handed_on(workspace, asked):
    publish(workspace)
    weights = workspace.checkpoints / 'abc.safetensors'
    words = '-n 3 --attempts 1 --explore --seeds 5 6 7 --confirm --request r1 --requester me'
    main(['trial', *words.split(), '--wait', '2', '--weights', str(weights)])
    (args,) = asked
    assert (args.trials, args.attempts, args.seeds) == (3, 1, [5, 6, 7])
    assert (args.request, args.requester, args.confirm, args.wait) == ('r1', 'me', True, 2.0)
    assert settings(asked)['explore'] is True
    assert settings(asked)['checkpoint'] == str(weights)


def test_seeds_say_how_many_trials_there_are(workspace, asked):
    publish(workspace)
    main(['trial', '--seeds', '5', '6', '7'])
    assert (asked[0].trials, asked[0].seeds) == (3, [5, 6, 7])


def test_the_contact_search_needs_no_weights(workspace, asked):
    text = workspace.recipe.read_text('utf-8').replace('algorithm: bc_rl', 'algorithm: search')
    workspace.recipe.write_text(text, 'utf-8')
    main(['trial', '-n', '1'])
    assert settings(asked)['checkpoint'] == ''
    assert asked[0].commit.endswith('-dirty')


def test_without_weights_nothing_is_asked_for(workspace, asked, capsys):
    assert main(['trial']) == 1
    error = capsys.readouterr().err
    assert 'there are no weights' in error
    assert 'enpire train' in error
    assert asked == []


def test_outside_a_workspace_nothing_is_asked_for(tmp_path, monkeypatch, asked, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(['trial']) == 1
    assert 'is in no research workspace' in capsys.readouterr().err
    assert asked == []


def test_the_poses_of_an_earlier_request_are_taken_again(workspace, asked, tmp_path):
    publish(workspace)
    with Ledger(tmp_path / 'run', station='s', owner='test') as ledger:
        ledger.start_request(RequestRecord('before', 'me', 3, 8, (2**40, 5, 6)))
    main(['trial', '-n', '50', '--seeds-of', 'before'])
    assert (asked[0].seeds, asked[0].trials) == ([2**40, 5, 6], 3)


@pytest.mark.parametrize('ledger', [False, True])
def test_an_unknown_request_is_told(workspace, asked, tmp_path, capsys, ledger):
    publish(workspace)
    if ledger:
        Ledger(tmp_path / 'run', station='s', owner='test').close()
    assert main(['trial', '--seeds-of', 'never']) == 1
    assert "has the request 'never'" in capsys.readouterr().err
    assert asked == []
