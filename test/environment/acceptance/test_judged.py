"""A judgement and the truth, side by side."""

from dataclasses import replace

from acceptance_support import episode, vote
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.acceptance.judged import Case, judged, require_both_classes
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.tasks.api import Judgement, Outcome

EVIDENCE = Evidence({}, (), 0.0, 1.0, 1.5, 'trial 7 attempt 1', label=True)
JUDGEMENT = Judgement(
    Outcome.FAILURE, 0.1, (vote('force', 'F'),), 0.02, ErrorCode.NONE, 'force: says F'
)


@pytest.mark.parametrize(
    ('kind', 'said', 'wrong', 'false_positive'),
    [
        ('inserted', 'S', False, False),
        ('inserted', 'F', True, False),
        ('inserted', 'U', True, False),
        ('on_rim', 'S', True, True),
        ('on_rim', 'F', False, False),
        ('on_rim', 'U', True, False),
    ],
)
def test_what_is_wrong(kind, said, wrong, false_positive):
    one = episode(kind, said)
    assert (one.wrong, one.false_positive) == (wrong, false_positive)


def test_everything_is_kept_that_a_person_needs_to_look_it_up():
    one = judged(Case('inserted', 4), EVIDENCE, JUDGEMENT, redraws=2, seconds=0.003)
    assert (one.label, one.outcome, one.redraws) == (True, Outcome.FAILURE, 2)
    assert one.kind == 'recorded success'
    assert one.to_json() == {
        'source': 'trial 7 attempt 1',
        'kind': 'recorded success',
        'label': True,
        'outcome': 'FAILURE',
        'votes': {'force': 'FAILURE 0.50: says F'},
    }


def test_the_kind_of_the_evidence_is_kept():
    evidence = replace(EVIDENCE, kind='on_rim', label=False)
    assert judged(Case(), evidence, JUDGEMENT, redraws=0, seconds=0.0).kind == 'on_rim'


def test_evidence_without_a_label_is_refused(tmp_path):
    with pytest.raises(StationError, match='one') as caught:
        judged(
            Case(path=tmp_path / 'one'),
            replace(EVIDENCE, label=None),
            JUDGEMENT,
            redraws=0,
            seconds=0.0,
        )
    assert caught.value.code is ErrorCode.ENVIRONMENT_UNLABELLED


@pytest.mark.parametrize(
    ('labels', 'code', 'words'),
    [
        ([], ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES, 'not one'),
        ([True, True], ErrorCode.ENVIRONMENT_ONE_CLASS, 'all 2 episodes are successes; add fail'),
        ([False], ErrorCode.ENVIRONMENT_ONE_CLASS, 'all 1 episodes are failures; add successes'),
    ],
)
def test_one_class_or_none_is_refused(labels, code, words):
    with pytest.raises(StationError, match=words) as caught:
        require_both_classes(labels)
    assert caught.value.code is code


def test_both_classes_pass():
    require_both_classes([True, False])
