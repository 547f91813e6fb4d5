"""Keeping evidence as a canary."""

from __future__ import annotations

from dataclasses import replace
import json

from audit_support import evidence
from environment.doubles import FakeVerifier
import pytest

from enpire_nodes.cli.audit_keep import keep, make_verifier
from enpire_nodes.common.errors import StationError
from enpire_nodes.environment.evidence import load
from enpire_nodes.rollout.auditing.canaries import CanaryKind, read_catalogue
from enpire_nodes.tasks.api import Outcome
from enpire_nodes.tasks.pin_insertion.task import PinInsertion


@pytest.fixture
def verifier(monkeypatch):
    def make(outcome=Outcome.SUCCESS):
        monkeypatch.setattr(FakeVerifier, 'outcome', outcome)
        return FakeVerifier(('side', 'front'))

    return make


def test_what_is_kept_can_be_replayed(tmp_path, verifier):
    path = tmp_path / 'canaries.json'
    good, bad = replace(evidence(), label=True), replace(evidence(), label=False)
    assert keep(good, verifier(), path, name='a') == 1
    assert keep(bad, verifier(Outcome.FAILURE), path, name='b') == 2
    assert keep(good, verifier(), path, name='a') == 2
    first, second = read_catalogue(path)
    assert (first.kind, second.kind) == (
        CanaryKind.REPLAYED_FAILURE,
        CanaryKind.REPLAYED_SUCCESS,
    )
    assert load(second.path).label is True
    assert {line['file'] for line in json.loads(path.read_text())['canaries']} == {
        'a.npz',
        'b.npz',
    }


@pytest.mark.parametrize('outcome', [Outcome.UNCERTAIN, Outcome.FAILURE])
def test_what_the_judge_does_not_judge_rightly_is_refused(tmp_path, verifier, outcome):
    path = tmp_path / 'canaries.json'
    with pytest.raises(StationError, match='no use as a canary'):
        keep(replace(evidence(), label=True), verifier(outcome), path, name='a')
    assert list(tmp_path.iterdir()) == []


def test_the_judge_is_that_of_a_station():
    verifier = make_verifier(PinInsertion(), 'stations/simulated.yaml', None)
    assert verifier.digest == PinInsertion().digest()
    with pytest.raises(StationError, match='cameras'):
        make_verifier(PinInsertion(), 'stations/none.yaml', None)
