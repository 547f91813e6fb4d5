"""A run after a crash."""

import json

from trial_support import ended, fill, open_trial, write_bag

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.recording.check import check_bag
from enpire_nodes.rollout.recording.writer import BagSettings
from enpire_nodes.rollout.records import TrialOutcome
from enpire_nodes.rollout.recover import recover_run

SMALL = BagSettings(chunk_size=2048)


def crash(run, trial_id='trial_9', messages=400):
    """Leave a trial in its middle, its bag cut off."""
    with Ledger(run, station='s', owner='victim') as ledger:
        ledger.start_trial(open_trial(trial_id))
        writer = write_bag(ledger.run.bag(trial_id), messages, close=False, settings=SMALL)
        writer.abandon()


def recover(run):
    with Ledger(run, station='s', owner='recover') as ledger:
        result = recover_run(ledger)
        assert ledger.verify().whole
        return result


def test_bag_trial_and_file_of_an_interrupted_trial_agree(tmp_path):
    fill(tmp_path, [TrialOutcome.SUCCESS])
    crash(tmp_path)
    result = recover(tmp_path)
    (trial,) = result.closed
    report = check_bag(tmp_path / trial.bag)
    assert trial.outcome is TrialOutcome.INTERRUPTED
    assert trial.counted
    assert trial.bag == 'trials/trial_9/bag'
    assert trial.bag_digest == report.digest
    assert report.messages > 200
    assert f'{report.messages} messages of its bag were saved' in trial.message
    written = json.loads((tmp_path / 'trials' / 'trial_9' / 'trial.json').read_text())
    assert written['ledger_digest'] == trial.ledger_digest
    assert written['outcome'] == 'INTERRUPTED'
    assert result.failed == []


def test_doing_it_again_changes_nothing(tmp_path):
    crash(tmp_path)
    recover(tmp_path)
    again = recover(tmp_path)
    assert (again.bags, again.closed, again.written) == ([], [], [])


def test_a_bag_beyond_help_stops_nothing_else(tmp_path):
    crash(tmp_path, 'trial_8')
    crash(tmp_path, 'trial_9')
    broken = tmp_path / 'trials' / 'trial_8' / 'bag' / 'bag_0.mcap'
    broken.write_bytes(b'garbage')
    result = recover(tmp_path)
    assert [bag.trial_id for bag in result.failed] == ['trial_8']
    assert result.failed[0].error.code is ErrorCode.RECORDER_BAG_UNREADABLE
    closed = {trial.trial_id: trial for trial in result.closed}
    assert 'its bag is lost' in closed['trial_8'].message
    assert closed['trial_8'].bag == ''
    assert closed['trial_9'].bag_digest
    assert broken.read_bytes() == b'garbage'


def test_a_bag_that_is_still_being_written_is_left_alone(tmp_path):
    with Ledger(tmp_path, station='s', owner='victim') as ledger:
        ledger.start_trial(open_trial())
    writer = write_bag(tmp_path / 'trials' / 'trial_1' / 'bag', 100, close=False)
    result = recover(tmp_path)
    assert result.failed[0].error.code is ErrorCode.RECORDER_BUSY
    assert 'still being written' in result.closed[0].message
    writer.close()
    assert check_bag(writer.directory).messages == 100


def test_the_unfinished_bag_of_a_closed_trial_is_noted_in_the_ledger(tmp_path):
    with Ledger(tmp_path, station='s', owner='victim') as ledger:
        ledger.start_trial(open_trial())
        ledger.close_trial(ended(open_trial(), TrialOutcome.FAULTED))
        write_bag(ledger.run.bag('trial_1'), 400, close=False, settings=SMALL).abandon()
    (bag,) = recover(tmp_path).bags
    with Ledger(tmp_path, station='s', owner='test') as ledger:
        (note,) = ledger.entries('note')
        assert note.data['recovered_bag'] == 'trial_1'
        assert note.data['bag_digest'] == bag.recovery.report.digest
        assert ledger.trial('trial_1').outcome is TrialOutcome.FAULTED


def test_a_trial_that_never_had_a_bag_is_closed_too(tmp_path):
    with Ledger(tmp_path, station='s', owner='victim') as ledger:
        ledger.start_trial(open_trial())
    (trial,) = recover(tmp_path).closed
    assert (trial.bag, trial.bag_digest) == ('', '')
