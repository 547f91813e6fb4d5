"""The command as an agent calls it: in a clone, against a station."""

import json
import os
from pathlib import Path
import subprocess
import sys

from desk_double import DeskDouble, served
from git_support import git
import pytest

from enpire_nodes.evolution.desk.views import JobView
from enpire_nodes.evolution.tool.__main__ import COMMANDS, main
from enpire_nodes.evolution.tool.arguments import parse

ROOT = Path(__file__).parents[3]


@pytest.fixture
def desk():
    return DeskDouble()


@pytest.fixture
def clone(desk, tmp_path, monkeypatch):
    """Yield a clone of a hub, in which one is, with a station that answers."""
    hub, place = tmp_path / 'hub.git', tmp_path / 'clone'
    git(tmp_path, 'init', '--quiet', '--bare', '--initial-branch=main', str(hub))
    git(tmp_path, 'clone', '--quiet', str(hub), str(place))
    git(place, 'checkout', '--quiet', '-B', 'main')
    (place / 'recipe.yaml').write_text('algorithm: search\n')
    (place / 'train.py').write_text('import sys; print("trained", sys.argv[1:])\n')
    git(place, 'add', '.')
    git(place, 'commit', '--quiet', '-m', 'Begin')
    git(place, 'push', '--quiet', 'origin', 'main')
    monkeypatch.chdir(place)
    with served(desk) as path:
        monkeypatch.setenv('ENPIRE_TRIAL_SOCKET', str(path))
        monkeypatch.setenv('ENPIRE_STATION', 'station_1')
        yield place


def commit(place, text):
    (place / 'policy.py').write_text(text)
    git(place, 'add', '.')
    git(place, 'commit', '--quiet', '-m', f'Try {text}')
    return git(place, 'rev-parse', 'HEAD')


def test_submit_pushes_the_commit_and_asks_for_its_trials(desk, clone, capsys):
    head = commit(clone, 'one')
    assert main(['trial', 'submit', '-n', '7', '--attempts', '8', '--against', 'main']) == 0
    pushed = git(clone, 'ls-remote', 'origin', 'refs/heads/station/station_1').split()[0]
    (ask,) = desk.asks
    assert pushed == ask.commit == head
    assert (ask.trials, ask.attempts, ask.against, ask.weights) == (7, 8, 'main', '')
    assert 'next: `enpire trial wait job-1`' in capsys.readouterr().out


def test_another_commit_is_named_in_full(desk, clone):
    first, _ = commit(clone, 'one'), commit(clone, 'two')
    assert main(['trial', 'submit', '--against', first[:8]]) == 0
    assert desk.asks[0].against == first
    assert main(['trial', 'submit', '--against', 'f' * 8]) == 1


def test_a_changed_folder_is_refused_with_words(desk, clone, capsys):
    (clone / 'policy.py').write_text('new')
    (clone / '.enpire').mkdir()
    (clone / '.enpire' / 'curve').write_text('not the business of Git')
    assert main(['trial', 'submit']) == 1
    words = capsys.readouterr().err
    assert 'not in your commit: policy.py.' in words
    assert 'git commit' in words
    assert desk.asks == []


def test_a_push_that_the_hub_refuses_asks_for_nothing(desk, clone, capsys):
    commit(clone, 'one')
    assert main(['trial', 'submit']) == 0
    git(clone, 'commit', '--quiet', '--amend', '-m', 'Another history')
    assert main(['trial', 'submit']) == 1
    assert 'HUB_PUSH_REFUSED' in capsys.readouterr().err
    assert len(desk.asks) == 1


def test_weights_go_along_unless_the_recipe_searches(desk, clone, capsys):
    (clone / 'recipe.yaml').write_text('algorithm: bc\n')
    commit(clone, 'learned')
    assert main(['trial', 'submit']) == 1
    assert 'run `enpire train`' in capsys.readouterr().err
    published = clone / '.enpire' / 'checkpoints' / 'current.safetensors'
    published.parent.mkdir(parents=True)
    published.write_bytes(b'weights')
    assert main(['trial', 'submit']) == 0
    assert desk.stored[desk.asks[0].weights] == b'weights'
    other = clone.parent / 'other.safetensors'
    other.write_bytes(b'others')
    assert main(['publish', '--weights', str(other)]) == 0
    assert desk.stored[desk.proposed[0][1]] == b'others'


def test_waiting_is_cut_into_pieces_and_says_to_call_again(desk, clone, capsys):
    main(['trial', 'submit'])
    assert main(['trial', 'wait', '--max', '0.1']) == 0
    assert 'call again: `enpire trial wait job-1`' in capsys.readouterr().out
    desk.finish('job-1', words='publish it')
    assert main(['trial', 'wait']) == 0
    assert 'next: publish it' in capsys.readouterr().out


def test_the_newest_job_is_the_newest_of_the_agent(desk, clone, capsys):
    main(['trial', 'submit'])
    for requester, first in (('', 'job-1'), ('station', 'job-1'), ('agent', 'job-2')):
        desk.known['job-2'] = JobView('job-2', 'explore', 'done', requester=requester)
        capsys.readouterr()
        assert main(['trial', 'result']) == 0
        assert capsys.readouterr().out.startswith(first)


def test_an_idea_shows_what_it_is_like_and_how_to_commit_it(desk, clone, capsys):
    assert main(['idea', 'Search', 'wider']) == 0
    said = capsys.readouterr().out
    assert desk.sentences == ['Search wider']
    assert '80 %' in said
    assert "--trailer 'Idea: wide'" in said
    desk.claimed = False
    main(['idea', 'Search wider'])
    assert 'choose another idea' in capsys.readouterr().out


@pytest.mark.parametrize('words', [['status'], ['history'], ['budget'], ['peers']])
def test_every_answer_ends_with_what_to_do_next_and_has_json(clone, capsys, words):
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith('next: ')
    assert main([*words, '--json']) == 0
    assert json.loads(capsys.readouterr().out)['next']


def test_an_error_is_json_too(clone, capsys):
    assert main(['trial', 'result', 'none', '--json']) == 1
    assert json.loads(capsys.readouterr().out)['error'] == 'SUPERVISOR_JOB_UNKNOWN'


def test_without_a_station_it_says_where_it_works(monkeypatch, capsys):
    monkeypatch.delenv('ENPIRE_TRIAL_SOCKET', raising=False)
    assert main(['status']) == 1
    assert 'ENPIRE_TRIAL_SOCKET is not set' in capsys.readouterr().err


def test_train_becomes_the_training_of_the_clone(clone):
    done = subprocess.run(
        [sys.executable, '-m', 'enpire_nodes.evolution.tool', 'train', '--follow', '--run', 'x'],
        capture_output=True, text=True, timeout=120, env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "trained ['--follow', '--run', 'x']\n"), (
        done.stderr
    )


def test_options_that_nobody_knows_are_refused():
    with pytest.raises(SystemExit):
        parse(['history', '--everything'])


def test_it_brings_in_nothing_heavy():
    code = (
        'import sys; import enpire_nodes.evolution.tool.__main__; '
        'heavy = ("numpy", "scipy", "torch", "rclpy", "cv2", "yaml"); '
        'print([name for name in heavy if name in sys.modules])'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, timeout=120,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )  # fmt: skip
    assert done.stdout == '[]\n', done.stderr


def test_every_command_is_known_to_the_parser():
    needs = {'trial log': ['x'], 'trial picture': ['x'], 'trial clip': ['x'], 'idea': ['x']}
    for name in COMMANDS:
        args = parse([*name.split(), *needs.get(name, [])])
        assert ' '.join(filter(None, (args.command, getattr(args, 'action', '')))) == name
