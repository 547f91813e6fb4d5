"""Names within a run."""

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.run_directory import RunDirectory


def test_the_layout_is_the_documented_one(tmp_path):
    run = RunDirectory(tmp_path)
    assert run.ledger == tmp_path / 'ledger.sqlite'
    assert run.bag('t1') == tmp_path / 'trials' / 't1' / 'bag'
    assert run.trial_json('t1') == tmp_path / 'trials' / 't1' / 'trial.json'
    assert run.relative(run.bag('t1')) == 'trials/t1/bag'


@pytest.mark.parametrize('name', ['', '..', '../x', 'a/b', '.hidden', 'x' * 200, 'a\nb'])
def test_a_trial_id_cannot_leave_the_run(tmp_path, name):
    with pytest.raises(StationError) as caught:
        RunDirectory(tmp_path).trial(name)
    assert caught.value.code is ErrorCode.RUNNER_BAD_REQUEST
