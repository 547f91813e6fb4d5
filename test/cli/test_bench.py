"""The command ``enpire bench``: exit codes, and what it leaves behind."""

import json

import pytest

from enpire_nodes.benchmark import session
from enpire_nodes.benchmark.session import Results
from enpire_nodes.cli.main import main


@pytest.fixture
def results(monkeypatch):
    """Let the bench measure nothing, and return its plan and results."""
    seen = {'results': Results()}

    def run(self):
        seen['plan'] = self._plan
        return seen['results']

    monkeypatch.setattr(session.Session, 'run', run)
    return seen


def bench(tmp_path, *arguments):
    return main(
        [
            'bench',
            '--only',
            'station',
            '--output',
            str(tmp_path / 'out'),
            '--domain',
            '71',
            *arguments,
        ]
    )


def test_reports_and_saves_even_when_nothing_could_be_measured(tmp_path, results, capsys):
    results['results'].problems['the bare process'] = 'no picture can be drawn here'

    assert bench(tmp_path) == 1

    data = json.loads((tmp_path / 'out' / 'bench.json').read_text())
    assert data['problems'] == {'the bare process': 'no picture can be drawn here'}
    assert (tmp_path / 'out' / 'bench.png').stat().st_size > 0
    assert 'no picture can be drawn here' in capsys.readouterr().out


def test_quick_measures_little(tmp_path, results):
    bench(tmp_path)
    usual = results['plan']
    bench(tmp_path, '--quick')
    quick = results['plan']

    assert (usual.trials, quick.trials) == (8, 2)
    assert quick.looks < usual.looks
    assert quick.short < usual.short


@pytest.mark.parametrize('trials', ['0', '-3', '2000', 'many'])
def test_wrong_number_of_trials_is_wrong_usage(tmp_path, results, trials):
    with pytest.raises(SystemExit) as caught:
        bench(tmp_path, '--trials', trials)
    assert caught.value.code == 2


def test_unknown_station_and_controller_are_refused(tmp_path, results, capsys):
    assert bench(tmp_path, 'no_such_station') == 2
    assert 'no_such_station' in capsys.readouterr().err
    assert bench(tmp_path, '--controller', 'magic') == 1
    assert 'magic' in capsys.readouterr().err
    assert 'plan' not in results


def test_what_an_agent_costs_is_measured_printed_and_kept(tmp_path, monkeypatch, capsys):
    from dataclasses import dataclass

    from enpire_nodes.benchmark import proxy_cost, robot_share, sandbox_cost

    @dataclass
    class Found:
        value: float

        def __str__(self):
            return f'{self.value} of it'

    def broken(*_, **__):
        raise OSError('no station')

    monkeypatch.setattr(robot_share, 'measure', broken)
    monkeypatch.setattr(proxy_cost, 'measure', lambda pairs: Found(pairs))
    monkeypatch.setattr(sandbox_cost, 'measure', lambda steps: Found(steps))
    out = tmp_path / 'out'
    arguments = ['bench', '--only', 'research', '--quick', '--output', str(out), '--domain', '71']

    assert main(arguments) == 1

    shown = capsys.readouterr().out
    assert 'robot: not measured: OSError: no station' in shown
    assert '50 of it' in shown
    kept = json.loads((out / 'research.json').read_text())
    assert kept == {'proxy': {'value': 50}, 'sandbox': {'value': 300}}
