"""Human time: only what was measured, each second once."""

from collections import Counter
from dataclasses import replace

import pytest
from trial_support import ended, fill, open_trial

from enpire_nodes.rollout.auditing.audits import Audits
from enpire_nodes.rollout.auditing.book import AuditBook, LABEL
from enpire_nodes.rollout.human_time import cost_of, human_seconds, in_words, steered
from enpire_nodes.rollout.records import TrialOutcome


def trial(seconds, **parameters):
    done = ended(open_trial('t', controller='teleop', controller_parameters=parameters))
    first, *others = done.attempts
    return replace(done, attempts=(replace(first, operator_seconds=seconds), *others))


def test_steering_is_a_demonstration_and_taking_over_a_rescue():
    found = steered(
        [trial(30.0, **{'teleop.base': ''}), trial(6.0, **{'teleop.base': 'scripted'})]
    )
    assert found == {'demonstrate': 30.0, 'rescue': 6.0}


def test_trials_that_nobody_steered_cost_nothing():
    assert steered([trial(0.0)]) == {}


def test_labels_count_beside_steering(tmp_path):
    fill(tmp_path, [TrialOutcome.SUCCESS])
    data = {'trial_id': 'trial_000', 'attempt': 1, 'label': 'SUCCESS', 'labeller': 'a'}
    AuditBook(tmp_path).append(LABEL, {**data, 'seconds': 12.0})
    AuditBook(tmp_path).append(LABEL, {**data, 'seconds': 3.0})
    assert human_seconds([trial(6.0)], Audits.of(tmp_path)) == {'label': 15.0, 'demonstrate': 6.0}
    assert cost_of(tmp_path).startswith('human minutes 0.2: label 0.2')
    assert cost_of(tmp_path / 'no run') == ''


@pytest.mark.parametrize(
    ('seconds', 'words'),
    [({}, ''), ({'label': 90.0, 'demonstrate': 150.0},
      'human minutes 4.0: demonstrate 2.5, label 1.5')],
)  # fmt: skip
def test_minutes_in_words(seconds, words):
    assert in_words(Counter(seconds)) == words
