"""A station is held to its manifest at its start, between trials, and by what its nodes say."""

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract import check
from enpire_nodes.environment.contract import guard as module
from enpire_nodes.environment.contract.guard import NODES
from enpire_nodes.environment.contract.identity import told_libraries
from enpire_nodes.environment.contract.subject import Subject


def changed(words: str):
    return pytest.raises(StationError, match=f'902 ENVIRONMENT_CHANGED.*{words}')


def test_an_environment_in_order_passes_every_check(bench):
    frozen = bench.freeze()
    guard = bench.guard()
    assert guard.digest == frozen.digest
    for node in NODES:
        guard.check_node(node, bench.told(node))
    guard.check_limits(bench.digests['limits'])
    guard.check_verdict(bench.digests['verifier'])
    for _ in range(50):
        guard.check_files()


def test_every_so_many_checks_read_every_file_again(bench, monkeypatch):
    bench.freeze()
    read = []
    real = check.file_digest
    monkeypatch.setattr(check, 'file_digest', lambda path: read.append(path) or real(path))
    guard = bench.guard(full_every=3)
    every = len(read)
    assert every == 12  # the files of the bench, the manifest and its report
    counts = []
    for _ in range(6):
        read.clear()
        guard.check_files()
        counts.append(len(read))
    assert counts == [0, 0, every, 0, 0, every]


def test_a_module_that_comes_to_run_from_elsewhere_is_noticed_by_a_full_check(bench, monkeypatch):
    bench.freeze()
    guard = bench.guard(full_every=2)
    monkeypatch.setattr(module, 'process_problems', lambda listing: ['module json is shadowed'])
    guard.check_files()
    with changed('module json is shadowed'):
        guard.check_files()


def test_a_change_stops_it_for_good(bench):
    bench.freeze()
    guard = bench.guard()
    text = bench.path('bench/reward.py').read_text()
    bench.path('bench/reward.py').write_text('THRESHOLD = 0.0\n')
    with changed('bench/reward.py was changed.*start the station again'):
        guard.check_files()
    bench.path('bench/reward.py').write_text(text)
    with changed('bench/reward.py was changed'):
        guard.check_files()
    bench.guard().check_files()  # a new start, with everything as it was


def test_many_changes_are_counted(bench):
    bench.freeze()
    for number in range(9):
        bench.path(f'bench/extra{number}.py').write_text('')
    with changed('extra4.py was added.*and 4 more'):
        bench.guard()


def test_another_task_is_refused(bench):
    bench.freeze()
    subject = bench.subject()
    bench.subject = lambda: Subject('push_t', subject.files, subject.digests, {})
    with pytest.raises(StationError, match='is of the task pin_insertion') as caught:
        bench.guard()
    assert caught.value.code is ErrorCode.ENVIRONMENT_MANIFEST_INVALID


@pytest.mark.parametrize('what', ['settings', 'verifier', 'limits', 'code'])
def test_frozen_files_that_the_station_does_not_use_do_not_help(bench, what):
    bench.freeze()
    bench.digests[what] = '0' * 64
    with changed(f'the {what} of this station'):
        bench.guard()


@pytest.mark.parametrize(
    ('node', 'fields', 'words'),
    [
        ('safety_gate', {'code_digest': '0' * 64}, 'safety_gate works with another code'),
        ('scene_reset', {'code_digest': '0' * 64}, 'scene_reset works with another code'),
        ('scene_reset', {'settings_digest': '0' * 64}, 'scene_reset works with another task'),
        ('reward_classifier', {'settings_digest': None}, 'does not say which'),
        ('reward_classifier', {'code_digest': 'module numpy is shadowed'}, 'numpy is shadowed'),
        ('reward_classifier', {'min_frames': 1}, r'min_frames = 1, frozen was 3'),
        ('reward_classifier', {'min_frames': None}, r'min_frames = None'),
        ('driver', {'noise.pose_sd': 0.0}, r'driver runs with noise.pose_sd = 0.0'),
        (
            'scene_reset',
            {'libraries': None},
            'scene_reset, library cryptography.*: missing',
        ),
        (
            'safety_gate',
            {'libraries': [*told_libraries(), 'numpy=1.0 0']},
            r'process of safety_gate, library numpy is not the frozen one \(2.*\): 1.0',
        ),
    ],
)
def test_a_node_that_runs_something_else_is_named(bench, node, fields, words):
    bench.freeze()
    guard = bench.guard()
    with changed(words):
        guard.check_node(node, bench.told(node, **fields))
    with changed(words):
        guard.check_files()


def test_a_node_that_cannot_tell_is_named(bench):
    bench.freeze()
    with changed('scene_reset does not tell all of code_digest, libraries, settings_digest'):
        bench.guard().check_node('scene_reset', {})


def test_other_limits_and_another_judge_are_named(bench):
    bench.freeze()
    with changed('safety_gate works with another limits file'):
        bench.guard().check_limits('0' * 64)
    with changed('reward_classifier works with another judge'):
        bench.guard().check_verdict('0' * 64)
    with changed('it does not say which'):
        bench.guard().check_verdict('')
