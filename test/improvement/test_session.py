"""One run of training: its command line, its clocks, its ends."""

import errno
import io
import json
import os
import pickle
import signal

from improvement_support import closed_record, shown_trial, write_record
import pytest
from rich.console import Console

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement import session as module
from enpire_nodes.improvement.checkpoints import DiskFullError
from enpire_nodes.improvement.session import DataMissingError, program, Session
from enpire_nodes.improvement.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path / 'mine')
    workspace.local.mkdir(parents=True)
    about = {
        'runs': [str(tmp_path / 'run')], 'task': 'pin_insertion',
        'station_file': 'stations/simulated.yaml',
    }  # fmt: skip
    (workspace.local / 'workspace.json').write_text(json.dumps(about), 'utf-8')
    return workspace


@pytest.fixture
def session(workspace, tmp_path):
    session = Session(workspace, [tmp_path / 'run'])
    session.console = Console(file=io.StringIO(), width=400)
    return session


def said(session):
    return session.console.file.getvalue()


@pytest.fixture
def begin(workspace, monkeypatch):
    """Begin a session as ``python train.py`` does, and give the signals back afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(*words, place=workspace.path):
        monkeypatch.setattr('sys.argv', ['train.py', *words])
        monkeypatch.chdir(place)
        return Session.begin('Train.')

    yield call
    for number, handler in before.items():
        signal.signal(number, handler)


def test_it_learns_from_the_runs_of_the_workspace(begin, tmp_path):
    session = begin()
    assert (session.runs, session.follow, session.fresh) == ([tmp_path / 'run'], False, False)


def test_other_runs_may_be_named(begin, tmp_path):
    session = begin('--run', str(tmp_path / 'other'), '--follow', '--fresh')
    assert session.runs == [tmp_path / 'other']
    assert session.follow
    assert session.fresh


def test_it_needs_a_workspace(begin, tmp_path):
    with pytest.raises(StationError, match='no research workspace'):
        begin(place=tmp_path)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_one_ends(begin, number):
    session = begin()
    assert not session.stopping
    os.kill(os.getpid(), number)
    assert session.stopping
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ('train', 'code', 'text'),
    [
        (lambda: 0, 0, ''),
        (lambda: 3, 3, ''),
        (lambda: (_ for _ in ()).throw(KeyboardInterrupt), 130, ''),
        (
            lambda: (_ for _ in ()).throw(StationError(ErrorCode.IMPROVEMENT_DATA_MISSING, 'no')),
            1,
            'no [IMPROVEMENT_DATA_MISSING]\n',
        ),
    ],
)
def test_a_program_ends_with_a_line_and_a_code(train, code, text, capsys):
    def run():
        result = train()
        return next(result) if hasattr(result, '__next__') else result

    with pytest.raises(SystemExit) as caught:
        program(run)
    assert caught.value.code == code
    assert capsys.readouterr().err == text


def test_missing_demonstrations_are_told_with_the_line_and_the_way_out(session, tmp_path):
    error = DataMissingError(session, 'teleop, lerobot')
    assert error.code == ErrorCode.IMPROVEMENT_DATA_MISSING
    for words in (
        'recipe.yaml: data.demonstrators',
        'no success of teleop, lerobot',
        str(tmp_path / 'run'),
        str(session.store.directory),
        'enpire teleop',
        '--controller demonstrator',
    ):
        assert words in error.message
    session.runs = []
    assert 'in no run or' in DataMissingError(session, 'teleop').message
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.code, copy.message) == (error.code, error.message)


def test_what_is_there_is_outlined_and_read(session, tmp_path):
    session.store.add(shown_trial('stored'))
    write_record(tmp_path / 'run', closed_record('empty', steps=()))
    outlines = [(one.trial_id, one.controller, one.success) for one in session.outlines()]
    assert sorted(outlines) == [('empty', 'teleop', False), ('stored', 'demonstrator', True)]
    assert [trial.trial_id for trial in session.new_trials()] == ['stored', 'empty']
    assert session.new_trials() == []


def test_a_clock_for_each_kind_of_work(session, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module.time, 'monotonic', lambda: now[0])
    asked = []
    for now[0] in (100.0, 109.0, 110.0, 111.0, 120.5):
        asked.append((session.every('save', 10.0), session.every('look', 1.0)))
    assert asked == [
        (False, False), (False, True), (True, True), (False, True), (True, True),
    ]  # fmt: skip


def refusal(error):
    def write():
        raise error

    return write


def test_a_full_disk_is_told_once_a_minute_and_gone_on_with(session, monkeypatch):
    now = [1.0]  # s: a computer that was just switched on
    monkeypatch.setattr(module.time, 'monotonic', lambda: now[0])
    full = refusal(DiskFullError('0 MB left; nothing was written'))
    assert not session.writes('a checkpoint', full)
    assert 'a checkpoint is not written: 0 MB left; nothing was written' in said(session)
    assert not session.writes('a checkpoint', full)
    assert said(session).count('\n') == 1
    now[0] += 61.0
    broken = refusal(OSError(errno.EIO, 'Input/output error'))
    assert not session.writes('the learner', broken)
    assert 'the learner is not written: OSError: [Errno 5] Input/output error' in said(session)
    assert session.writes('the learner', lambda: None)


def test_a_defect_is_not_a_full_disk(session):
    with pytest.raises(ZeroDivisionError):
        session.writes('a checkpoint', lambda: 1 / 0)


def test_refused_weights_are_told(session):
    error = StationError(ErrorCode.IMPROVEMENT_POLICY_REFUSED, 'step() returned None')
    assert session.refuses(refusal(error))
    assert 'weights are not published: step() returned None' in said(session)
    assert not session.refuses(lambda: None)


def test_a_long_path_is_not_broken(session):
    session.console = Console(file=io.StringIO(), width=80)
    session.say('/long' * 40)
    assert said(session) == '/long' * 40 + '\n'


@pytest.mark.parametrize('words', ['[/runs/one]', 'no [x] in [bold]', '[/]'])
def test_brackets_in_an_error_are_printed(session, words):
    session.refuses(refusal(StationError(ErrorCode.IMPROVEMENT_POLICY_REFUSED, words)))
    session.writes('it', refusal(OSError(words)))
    assert said(session).count(words) == 2


def test_a_policy_that_cannot_even_be_made_is_refused_and_training_goes_on(session):
    assert session.refuses(refusal(ImportError('no module named torchh')))
    assert 'torchh' in said(session)
