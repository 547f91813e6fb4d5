"""``enpire trials`` as a person and a program see it."""

import argparse
import csv
import io
import json
import sqlite3

import pytest
from trial_support import ended, fill, open_trial

from enpire_nodes.cli import trials
from enpire_nodes.rollout.auditing.book import AuditBook, LABEL
from enpire_nodes.rollout.auditing.desk import AuditDesk
from enpire_nodes.rollout.auditing.sample import Sampler
from enpire_nodes.rollout.ledger import Ledger, LedgerReader
from enpire_nodes.rollout.ledger.chain import check_chain, Entry
from enpire_nodes.rollout.records import RequestRecord, TrialOutcome, VerdictOutcome

OUTCOMES = [TrialOutcome.SUCCESS, TrialOutcome.FAILURE, TrialOutcome.UNCERTAIN]


@pytest.fixture
def run(tmp_path):
    fill(tmp_path / 'runs' / 'night', OUTCOMES)
    return tmp_path / 'runs' / 'night'


@pytest.fixture
def enpire(capsys, monkeypatch):
    """Run a command line; return exit code, standard output and standard error."""
    monkeypatch.delenv('ENPIRE_RUN', raising=False)

    def call(*arguments):
        parser = argparse.ArgumentParser()
        trials.add_parser(parser.add_subparsers())
        parsed = parser.parse_args(['trials', *map(str, arguments)])
        code = parsed.run(parsed)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_list_shows_every_trial_and_both_rates_with_bounds(enpire, run):
    code, out, _ = enpire('list', '--run', run)
    assert code == 0
    assert all(f'trial_00{number}' in out for number in range(3))
    assert 'SUCCESS' in out
    assert 'pass@1 0/3 = 0.0 %' in out
    assert 'pass@k 1/3 = 33.3 % (≥ 1.7 %' in out
    assert 'chain whole' in out
    assert 'robot utilization' in out


@pytest.mark.parametrize(
    ('marks', 'words'),
    [
        (['a' * 64, 'a' * 64], 'environment: frozen aaaaaaaaaaaa\n'),
        (['unfrozen:' + 'b' * 64], 'environment: unfrozen bbbbbbbbbbbb\n'),
        (
            ['a' * 64, 'b' * 64],
            '2 environments, not to be compared: frozen aaaaaaaaaaaa, frozen b',
        ),
        ([''], 'environment: none\n'),
    ],
)
def test_list_says_in_which_environment_trials_were_run(enpire, tmp_path, marks, words):
    with Ledger(tmp_path, station='s', owner='test') as ledger:
        for number, mark in enumerate(marks):
            trial = open_trial(f't{number}', environment_digest=mark)
            ledger.start_trial(trial)
            ledger.close_trial(ended(trial))
    _, out, _ = enpire('list', '--run', tmp_path)
    assert words in out


def test_show_says_that_nothing_was_frozen(enpire, tmp_path):
    with Ledger(tmp_path, station='s', owner='test') as ledger:
        ledger.start_trial(open_trial('t0', environment_digest='unfrozen:' + 'b' * 64))
    _, out, _ = enpire('show', 't0', '--run', tmp_path)
    assert 'unfrozen bbbbbbbbbbbb' in out


def test_tables_fit_100_columns(enpire, run):
    with Ledger(run, station='s', owner='test') as ledger:
        ledger.start_trial(open_trial('t' * 60, controller='c' * 60))
    for command in (('list',), ('show', 'trial_000')):
        _, out, _ = enpire(*command, '--run', run)
        assert max(map(len, out.splitlines())) <= 100


def test_list_can_be_limited_without_changing_the_rates(enpire, run):
    _, out, _ = enpire('list', '--run', run, '--limit', 1)
    assert 'trial_000' not in out
    assert 'trial_002' in out
    assert 'the newest 1 of 3' in out
    assert 'pass@k 1/3' in out
    with pytest.raises(SystemExit):
        enpire('list', '--run', run, '--limit', 0)


def test_list_for_programs_is_json(enpire, run):
    code, out, _ = enpire('list', '--run', run, '--json')
    data = json.loads(out)
    assert code == 0
    assert [item['outcome'] for item in data['trials']] == [item.name for item in OUTCOMES]
    assert data['summary']['successes'] == 1
    assert data['summary']['rate'] == pytest.approx(1 / 3)


def test_list_holds_retries_against_independent_ones(enpire, run):
    _, out, _ = enpire('list', '--run', run)
    assert 'retries: pass@8 33.3 % against 0.0 % of independent tries' in out


def test_list_tells_what_it_cost_people(enpire, run):
    assert 'human minutes' not in enpire('list', '--run', run)[1]
    label = {'trial_id': 'trial_000', 'attempt': 1, 'label': 'SUCCESS', 'labeller': 'a'}
    AuditBook(run).append(LABEL, {**label, 'seconds': 30.0})
    assert 'human minutes 0.5: label 0.5' in enpire('list', '--run', run)[1]


def test_list_corrects_the_rate_for_what_the_judge_was_seen_to_miss(enpire, run):
    desk = AuditDesk(run, Sampler(b'key', 0.0))
    with LedgerReader(run) as ledger:
        for trial in ledger.trials():
            judged = {item.index: item.verdict.outcome for item in trial.attempts}
            truths = {n: says is VerdictOutcome.SUCCESS for n, says in judged.items()}
            desk.hear(trial, truths | ({1: True} if trial.trial_id == 'trial_001' else {}))
    out = ' '.join(enpire('list', '--run', run)[1].split())
    assert 'pass@1 corrected for the judge (by truth, 2 successes and 2 failures)' in out


def test_blocks_shows_what_was_declared_and_why_it_confirms_nothing(enpire, run):
    assert 'no block was declared' in enpire('blocks', '--run', run)[1]
    with Ledger(run, station='s', owner='test') as ledger:
        ledger.start_request(
            RequestRecord('b1', 'test', 2, 1, (4, 5), commit='c0ffee', confirmation=True)
        )
    code, out, _ = enpire('blocks', '--run', run)
    assert code == 1
    assert 'c0ffee' in out
    assert '0 of the 2 declared' in ' '.join(out.split())


def test_a_tampered_ledger_is_named_and_fails_the_command(enpire, run):
    database = sqlite3.connect(run / 'ledger.sqlite')
    database.execute('DROP TRIGGER append_only_update')
    database.execute('UPDATE entries SET wall_ns = 1 WHERE sequence = 4')
    database.commit()
    database.close()
    code, out, _ = enpire('list', '--run', run)
    assert code == 1
    assert 'entry 4 is bad' in out


def test_an_empty_run_says_so(enpire, tmp_path):
    Ledger(tmp_path, station='s', owner='test').close()
    code, out, _ = enpire('list', '--run', tmp_path)
    assert code == 0
    assert 'no trial counts yet' in out


def test_show_gives_attempts_votes_and_the_bag(enpire, run):
    code, out, _ = enpire('show', 'trial_000', '--run', run)
    assert code == 0
    for text in ('camera/side', 'force: 4.1 N', '31.0', 'speed=0.05', 'slipped', '/station_1/a'):
        assert text in out
    assert 'changed since' not in out


def test_a_trial_can_be_named_by_its_end(enpire, run):
    assert 'trial_002' in enpire('show', '002', '--run', run)[1]
    assert json.loads(enpire('show', '002', '--run', run, '--json')[1])['trial_id'] == 'trial_002'


@pytest.mark.parametrize(
    ('name', 'reason'), [('trial_00', '3 trials fit'), ('x', 'the last is trial_002')]
)
def test_a_trial_that_is_not_one_is_explained(enpire, run, name, reason):
    code, _, error = enpire('show', name, '--run', run)
    assert code == 1
    assert reason in error


def test_show_tells_a_bag_that_was_changed_or_broken(enpire, run):
    with Ledger(run, station='s', owner='test') as ledger:
        ledger.start_trial(open_trial('trial_900'))
    assert 'the bag is being written' in enpire('show', '900', '--run', run)[1]
    path = run / 'trials' / 'trial_000' / 'bag' / 'bag_0.mcap'
    path.write_bytes(path.read_bytes()[:100])
    assert 'enpire recover' in enpire('show', 'trial_000', '--run', run)[1]


def test_export_as_json_and_csv(enpire, run, tmp_path):
    data = json.loads(enpire('export', '--run', run)[1])
    assert data['chain']['whole']
    assert [item['trial_id'] for item in data['trials']] == [f'trial_00{n}' for n in range(3)]
    path = tmp_path / 'out.csv'
    assert enpire('export', '--run', run, '--format', 'csv', '--output', path)[0] == 0
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert [row['outcome'] for row in rows] == [item.name for item in OUTCOMES]
    assert rows[0]['attempts'] == '2'
    assert rows[0]['seed'] == str(2**63 + 11)


def test_an_exported_ledger_can_be_verified_elsewhere(enpire, run):
    lines = enpire('export', '--run', run, '--format', 'jsonl')[1].splitlines()
    report = check_chain(Entry.imported(json.loads(line)) for line in lines)
    assert report.whole
    assert report.entries == len(lines)


def test_an_output_that_cannot_be_written_is_explained(enpire, run, tmp_path):
    code, _, error = enpire('export', '--run', run, '--output', tmp_path / 'no' / 'where')
    assert code == 1
    assert 'cannot write' in error


def test_check_holds_everything_against_each_other(enpire, run):
    assert enpire('check', '--run', run) == (0, '3 trials: ledger, bags and files agree\n', '')
    (run / 'trials' / 'trial_001' / 'bag' / 'metadata.yaml').unlink()
    code, out, _ = enpire('check', '--run', run)
    assert code == 1
    assert 'trial_001' in out
