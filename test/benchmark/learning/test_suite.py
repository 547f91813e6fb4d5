"""The order of the benchmark: what is there is not run again, and what fails is named."""

import json
from pathlib import Path
import subprocess
import sys

from lerobot_support import made_trial
import pytest

from enpire_nodes.benchmark.learning import suite as module
from enpire_nodes.benchmark.learning.suite import Plan, Suite
from enpire_nodes.benchmark.learning.variants import Variant
from enpire_nodes.common.writing import write_json
from enpire_nodes.improvement.replay_store import ReplayStore

VARIANTS = (Variant('bc', {'algorithm': 'bc'}, online=False), Variant('batch 64', {'x.y': 64}))


class Computer:
    """Takes the steps in this process, by writing what they would have written."""

    def __init__(self):
        self.steps, self.fail = [], ''

    def run(self, command, *, stdout, env, **options):
        assert command[:2] == [sys.executable, '-m']
        assert env['OMP_NUM_THREADS'] == '1'
        name, job = command[2].rpartition('.')[2], json.loads(Path(command[3]).read_text('utf-8'))
        if name == 'course':
            label = f'{job["variant"]}-{job["seed"]}'
            content = {'variant': job['variant'], 'seed': job['seed'], 'job': job}
            result = job['result']
        else:
            label = f'{job["what"]}-{job["arguments"][0]}'
            content = {'minutes': 5.5, 'arguments': job['arguments']}
            content = content if job['what'] == 'demonstrate' else [content]
            result = job['arguments'][-1]
        self.steps.append(label)
        if label == self.fail:
            stdout.write(b'a\nb\nTraceback\n  line\nValueError: no\n')
            return subprocess.CompletedProcess(command, 3)
        Path(result).parent.mkdir(exist_ok=True)
        write_json(Path(result), content)
        return subprocess.CompletedProcess(command, 0)


@pytest.fixture
def computer(monkeypatch):
    computer = Computer()
    monkeypatch.setattr(module.subprocess, 'run', computer.run)
    return computer


@pytest.fixture
def plan(tmp_path):
    return Plan(
        tmp_path / 'out', seeds=(1, 2), demonstrations=4, trials=6, tests=3, certify=9.0, workers=1
    )


def run(plan, variants=VARIANTS):
    told = []
    return Suite(plan, variants, told.append).run(), told


def test_stations_show_then_learn_then_test(computer, plan):
    results, told = run(plan)
    assert computer.steps == [
        'demonstrate-1', 'demonstrate-2',
        'certified-1', 'bc-1', 'batch 64-1', 'certified-2', 'bc-2', 'batch 64-2',
        'retest-1', 'retest-2',
    ]  # fmt: skip
    assert len(told) == len(computer.steps)
    assert [(one['variant'], one['seed']) for one in results['courses']] == [
        ('certified', 1), ('bc', 1), ('batch 64', 1), ('certified', 2), ('bc', 2), ('batch 64', 2),
    ]  # fmt: skip
    assert len(results['tests']) == 2
    assert results['demonstrations'][1]['minutes'] == 5.5
    assert results['plan']['directory'] == str(plan.directory)


def test_every_course_of_a_station_starts_from_the_same_demonstrations(computer, plan):
    results, _ = run(plan)
    jobs = [one['job'] for one in results['courses'] if one['seed'] == 2]
    assert {job['demonstrations'] for job in jobs} == {str(plan.directory / 'demonstrations-2')}
    assert {job['minutes'] for job in jobs} == {5.5}
    assert [(job['trials'], job['certify']) for job in jobs] == [(40, 9.0), (0, 0.0), (6, 0.0)]
    assert len({job['workspace'] for job in jobs}) == 3


def test_variants_are_tested_with_their_own_workspaces(computer, plan):
    results, _ = run(plan)
    seed, count, workspaces, _ = results['tests'][0]['arguments']
    assert (seed, count) == (1, 3)
    assert workspaces == {
        'bc': str(plan.directory / 'bc-1' / 'workspace'),
        'batch 64': str(plan.directory / 'batch-64-1' / 'workspace'),
    }


def test_without_certification_nothing_is_certified(computer, tmp_path):
    run(Plan(tmp_path, seeds=(1,), certify=0.0, workers=1))
    assert computer.steps == ['demonstrate-1', 'bc-1', 'batch 64-1', 'retest-1']


def test_it_goes_on_where_it_was(computer, plan):
    computer.fail = 'bc-2'
    with pytest.raises(RuntimeError):
        run(plan)
    done = [step for step in computer.steps if step != 'bc-2']
    computer.steps.clear()
    computer.fail = ''
    first, _ = run(plan)
    assert 'bc-2' in computer.steps
    assert not set(computer.steps) & set(done)
    computer.steps.clear()
    again, told = run(plan)
    assert computer.steps == told == []
    assert again['courses'] == first['courses']
    assert again['tests'] == first['tests']


def test_a_course_that_fails_names_its_log(computer, plan):
    computer.fail = 'batch 64-1'
    log = plan.directory / 'batch-64-1' / 'course.log'
    with pytest.raises(RuntimeError) as caught:
        run(plan)
    message = str(caught.value)
    assert 'ended with 3' in message
    assert 'Traceback |   line | ValueError: no' in message
    assert message.endswith(f'see {log}')
    assert log.read_text('utf-8').startswith('a\nb\n')
    assert 'retest-1' not in computer.steps


def test_a_step_that_fails_names_its_log(computer, plan):
    computer.fail = 'demonstrate-2'
    with pytest.raises(RuntimeError, match=r'see .*demonstrate-2\.log'):
        run(plan)


def test_demonstrations_are_tried_until_there_are_enough(monkeypatch, tmp_path):
    class Station:
        robot_seconds, rescues, closed = 0.0, 1, False

        def __init__(self, seed):
            assert seed == 2

        def run(self, policy, seed, *, name):
            self.robot_seconds += 30.0
            good = seed % 3 != 0
            outcome = 'success' if good else 'failure'
            return made_trial(f't{seed}', outcome=outcome, controller=name), None

        def close(self):
            Station.closed = True

    monkeypatch.setattr(module, 'LearningStation', Station)
    module.demonstrate(2, 4, str(tmp_path / 'shown'), str(tmp_path / 'about.json'))
    about = json.loads((tmp_path / 'about.json').read_text('utf-8'))
    assert about == {'minutes': 3.0, 'tried': 6, 'shown': 4, 'rescues': 1}
    store = ReplayStore(tmp_path / 'shown')
    assert len(store) == 6, 'failures are kept, too'
    assert sum(trial.success for trial in store) == 4
    assert Station.closed
