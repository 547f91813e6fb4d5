"""The account of a trial: complete, bounded, and never a crash."""

from motion_support import attempt_record, rows, trial_record, vote, without, write_bag
import pytest

from enpire_nodes.evolution.accounts import account, reason
from enpire_nodes.rollout.records import TrialOutcome, VerdictOutcome

TIP = [(0.002, 0, 0.03), (0.002, 0, 0.0), (0.002, 0, 0.0)]
FORCE = [(0, 0, 0), (0, 0, 12), (0, 0, 20)]
VOTES = (
    vote('camera/side', VerdictOutcome.FAILURE, 'depth 1.0 mm'),
    vote('camera/front', VerdictOutcome.FAILURE, 'depth 2.0 mm'),
    vote('force', VerdictOutcome.FAILURE, 'x' * 5000),
)


def test_it_tells_start_touch_motion_end_votes_and_why(tmp_path):
    bag = write_bag(tmp_path / 'bag', {1: rows(TIP, FORCE)})
    text = account(trial_record(attempt_record(votes=VOTES)), bag)
    for words in (
        'trial trial-1: FAILURE after attempt 1 of at most 8; learned ababababab',
        'attempt 1 (pictures: --moment 0.25 to 0.65)',
        'start: tip 2.0 mm off (+2.0 x, +0.0 y), 30.0 mm above the goal',
        'touch: t ',
        'touch',
        'peak force 20.0 N; tool went down by 30.0 mm',
        'camera/side: FAILURE 0.40: depth 1.0 mm',
        'verdict: FAILURE',
        'why: touched 2.0 mm off',
    ):
        assert words in text, words
    assert reason(trial_record(attempt_record()), bag).startswith('touched 2.0 mm off')


@pytest.mark.parametrize('attempts', [1, 2, 8])
def test_it_is_bounded(tmp_path, attempts):
    bag = write_bag(tmp_path / 'bag', {n: rows(TIP, FORCE) for n in range(1, attempts + 1)})
    records = [attempt_record(n, votes=VOTES) for n in range(1, attempts + 1)]
    lines = account(trial_record(*records), bag).splitlines()
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 320
    for n in range(1, attempts + 1):
        assert sum(line.startswith(f'attempt {n}') for line in lines) == 1


@pytest.mark.parametrize('missing', ['tip', 'tcp', 'force', 'target', 'gripper', 'tip_valid'])
def test_a_feature_that_a_task_lacks_is_left_out(tmp_path, missing):
    bag = write_bag(tmp_path / 'bag', {1: without(rows(TIP, FORCE), missing)})
    text = account(trial_record(attempt_record(votes=VOTES)), bag)
    assert 'verdict: FAILURE' in text
    assert 'nan' not in text


def test_a_bag_that_is_gone_or_damaged_leaves_the_record(tmp_path):
    record = trial_record(attempt_record(votes=VOTES))
    assert 'its bag is gone' in account(record, tmp_path / 'none')
    assert 'its bag is gone' in account(record, None)
    bag = write_bag(tmp_path / 'bag', {1: rows(TIP, FORCE)})
    mcap = next(bag.glob('*.mcap'))
    mcap.write_bytes(mcap.read_bytes()[:200])
    text = account(record, bag)
    assert 'its bag cannot be read' in text
    assert 'camera/side: FAILURE' in text


def test_a_trial_without_attempts_says_why():
    record = trial_record(outcome=TrialOutcome.RESET_FAILED, message='no pin')
    assert 'why: infrastructure, not the policy' in account(record, None)
