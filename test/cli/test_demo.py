"""The demo: its start, what it promises, and how each promise is broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from research_run import ResearchRun

pytest.importorskip('enpire_msgs')

from enpire_nodes.cli import demo
from enpire_nodes.cli.demo import check, farewell, Night, problems_words
from enpire_nodes.cli.main import main
from enpire_nodes.cli.session import Tale
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.report.report import write_report
from enpire_nodes.evolution.researcher.start import seed_hub

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """Return a finished campaign with its report, and the folder of the keys."""
    folder = tmp_path_factory.mktemp('demo')
    run = ResearchRun(folder / 'run', folder / 'keys', ideas=14, trials=6, bags=1).write()
    write_report(run, keys=folder / 'keys')
    return run, folder / 'keys'


@pytest.fixture
def keys(finished, monkeypatch) -> Path:
    monkeypatch.setenv('ENPIRE_KEYS', str(finished[1]))
    return finished[1]


def promises(run: Path, night: Night, **options) -> dict[str, tuple[str, bool]]:
    found = check(run, night, **{'certify': False, **options})
    return {name: (words, kept) for name, words, kept in found}


def test_a_finished_campaign_is_held_against_the_promises(finished, keys):
    found = promises(finished[0], Night(outcome='CERTIFIED', message='certified'))
    assert found['ideas'][0].startswith('14, of which')
    assert found['the report can be recomputed'] == (
        'every figure, from ledger, journal and hub', True,
    )  # fmt: skip
    assert found['crashes, faults'] == ('none', True)
    assert 'certified' not in found


def test_a_crash_breaks_a_promise(finished, keys):
    found = promises(finished[0], Night(tale=Tale(['driver had to be restarted'])))
    assert found['crashes, faults'] == ('driver had to be restarted', False)


def test_a_block_of_fifty_promises_to_certify(finished, keys):
    for outcome, kept in (('CERTIFIED', True), ('BUDGET_USED', False)):
        night = Night(outcome=outcome, message='words')
        assert promises(finished[0], night, certify=True)['certified'] == ('words', kept)


def test_a_report_that_was_touched_breaks_a_promise(finished, keys, tmp_path):
    import shutil

    run = tmp_path / 'run'
    shutil.copytree(finished[0], run, symlinks=True)
    report = run / 'report.json'
    report.write_text(report.read_text().replace('"ideas"', '"idea"', 1))
    words, kept = promises(run, Night())['the report can be recomputed']
    assert not kept
    assert 'report.json' in words


def test_the_hub_begins_with_the_first_policy_that_anybody_would_write(tmp_path):
    seed_hub(tmp_path, 'pin_insertion')
    hub = Hub(tmp_path / 'research' / 'hub.git')
    first = hub.main
    hub.export(first, tmp_path / 'files')
    assert 'algorithm: search' in (tmp_path / 'files' / 'recipe.yaml').read_text()
    assert (tmp_path / 'files' / 'PROGRAM.md').is_file()
    seed_hub(tmp_path, 'pin_insertion')
    assert hub.main == first


def test_what_a_verification_found_is_shown_in_parts():
    assert problems_words([]) == 'every figure, from ledger, journal and hub'
    assert problems_words(['a', 'b', 'c', 'd']) == 'a; b; c'


def test_the_end_says_where_everything_is(tmp_path):
    words = farewell(tmp_path, Night('BUDGET_USED', 'over'))
    assert 'budget used: over' in words
    assert 'report.html' in words
    assert 'enpire verify-run' in words


def test_a_station_that_does_not_come_up_ends_it_with_the_reason(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, 'research', lambda *_: Night(tale=Tale(['no driver'])))
    assert main(['demo', '--run', str(tmp_path / 'run')]) == 1
    assert 'no driver' in capsys.readouterr().out


def test_wrong_usage_is_told(tmp_path, capsys):
    assert main(['demo', '--run', str(tmp_path), '--seed', '-1']) == 2
    assert 'seed' in capsys.readouterr().err
