"""`enpire report` and `enpire verify-run`."""

from __future__ import annotations

import pytest
from research_run import ResearchRun

from enpire_nodes.cli.main import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    return ResearchRun(tmp_path / 'run', tmp_path / 'keys', ideas=2, trials=3, bags=1).write()


def test_a_report_is_written_and_agrees(run, capsys):
    assert main(['report', str(run)]) == 0
    assert capsys.readouterr().out.strip() == str(run / 'report.html')
    assert main(['verify-run', str(run)]) == 0
    assert 'agree' in capsys.readouterr().out


def test_what_was_touched_is_told_and_the_exit_code_is_1(run, capsys):
    assert main(['report', str(run)]) == 0
    (run / 'research' / 'journal.jsonl').write_text('')
    capsys.readouterr()
    assert main(['verify-run', str(run)]) == 1
    assert 'journal: its end was cut off' in capsys.readouterr().out


def test_no_run_is_told(tmp_path, capsys):
    assert main(['report', str(tmp_path)]) == 1
    assert 'is not a run' in capsys.readouterr().err
