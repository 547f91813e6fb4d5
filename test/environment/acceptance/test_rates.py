"""Counts, rates and bounds of what was said."""

from acceptance_support import episode
import pytest

from enpire_nodes.common.bounds import lower_bound, upper_bound
from enpire_nodes.environment.acceptance.rates import FUSED, Rates, rates, sources, VIEWS

EPISODES = [
    *[episode('inserted', 'S', side='S', front='S', force='S')] * 8,
    episode('inserted', 'U', side='S', front='U', force='S'),
    episode('inserted', 'F', side='F', front='S', force='F'),
    *[episode('behind', 'F', side='S', front='F', force='F')] * 5,
    *[episode('on_rim', 'S', side='S', front='S', force='S')] * 1,
    *[episode('on_rim', 'U', side='S', front='S', force='F')] * 2,
]


def test_counts_rates_and_bounds_of_the_verdict():
    found = rates(EPISODES)
    assert found.of_successes == (8, 1, 1)
    assert found.of_failures == (1, 5, 2)
    assert found.recall == 0.8
    assert found.recall_bound == lower_bound(8, 10)
    assert found.false_positive_rate == 1 / 8
    assert found.false_positive_bound == upper_bound(1, 8)
    assert found.precision == pytest.approx(8 / 9)
    assert found.uncertain == 3
    assert found.uncertain_rate == pytest.approx(3 / 18)
    assert found.uncertain_bound == upper_bound(3, 18)


def test_each_source_has_its_own_figures():
    said = sources(EPISODES)
    assert list(said) == ['camera/side', 'camera/front', 'force', VIEWS, FUSED]
    found = {name: rates(EPISODES, who) for name, who in said.items()}
    assert found['camera/side'].of_failures == (8, 0, 0)  # fooled every time
    assert found['camera/front'].of_failures == (3, 5, 0)
    assert found['force'].of_failures == (1, 7, 0)
    assert found[VIEWS].of_failures == (3, 5, 0)
    assert found[VIEWS].of_successes == (8, 1, 1)
    assert found[FUSED] == rates(EPISODES)


def test_a_source_that_said_nothing_is_uncertain_and_one_camera_is_all_there_is():
    one = episode('inserted', 'S')
    alone = [
        type(one)(one.case, one.source, one.kind, True, one.outcome, one.votes[:1], 0, one.seconds)
    ]
    assert list(sources(alone)) == ['camera/side', FUSED]
    said = sources(EPISODES)['force']
    assert rates(alone, said).uncertain == 1


def test_rates_survive_json():
    found = rates(EPISODES)
    stored = found.to_json()
    assert stored['of_failures'] == {'SUCCESS': 1, 'FAILURE': 5, 'UNCERTAIN': 2}
    assert stored['recall'] == 0.8
    assert Rates.from_json(stored) == found


def test_rates_of_nothing_are_null_and_their_bounds_say_nothing():
    stored = rates([episode('inserted', 'S')]).to_json()
    assert stored['false_positive_rate'] is None
    assert stored['false_positive_bound'] == 1.0
    assert rates([]).recall_bound == 0.0
