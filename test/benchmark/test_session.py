"""The order of a bench, and what it does when a part of it breaks."""

from dataclasses import replace

import pytest

from enpire_nodes.benchmark import session
from enpire_nodes.benchmark.bare_process import BareFailedError
from enpire_nodes.benchmark.session import (
    default_composition,
    other_composition,
    Session,
)
from enpire_nodes.benchmark.suite import SuiteRun
from enpire_nodes.bringup.configuration import ConfigurationError
from enpire_nodes.common.errors import ErrorCode, StationError


@pytest.fixture
def log(monkeypatch, timing):
    """Replace both ways to run trials by doubles; return what they were asked."""
    asked = []

    class Bare:
        def __init__(self, setup):
            asked.append(('setup', setup))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            asked.append('bare ends')

        def run(self, seed, *, paced):
            asked.append(('bare', paced, seed))
            return timing(seed)

        def memory(self):
            return 120_000_000

    def suite(configuration, order, *, progress):
        asked.append((configuration, order))
        progress(1)
        return SuiteRun(configuration)

    monkeypatch.setattr(session, 'BareProcess', Bare)
    monkeypatch.setattr(session, 'run_suite', suite)
    return asked


def suites(log):
    return [entry for entry in log if len(entry) == 2 and hasattr(entry[0], 'pace')]


def bares(log, *, paced):
    return [entry[2] for entry in log if entry[0] == 'bare' and entry[1] is paced]


def test_bare_trials_stand_around_those_of_the_suite(log, plan):
    results = Session(plan).run()

    kinds = [entry[0] if entry[0] == 'bare' else 'suite' for entry in log if len(entry) > 1]
    kinds = [kind for kind in kinds if kind in ('bare', 'suite')]
    realtime = log.index(suites(log)[0])
    assert sum(entry[0] == 'bare' and entry[1] for entry in log[:realtime]) == 2
    assert sum(entry[0] == 'bare' and entry[1] for entry in log[realtime:]) == 1
    assert len(results.bare_paced) == len(results.bare_free) == 3
    assert results.problems == {}
    assert 'bare ends' in log[: log.index(suites(log)[1])]


def test_everybody_gets_the_same_seeds_and_the_same_warm_up(log, plan):
    Session(plan).run()

    orders = [order for _, order in suites(log)]
    warm, *seeds = orders[0].seeds
    assert bares(log, paced=True) == seeds
    assert bares(log, paced=False) == [warm, *seeds]
    assert list(orders[1].seeds) == [warm, *seeds]
    assert list(orders[2].seeds) == [warm, *seeds[:1]]
    assert len(set(seeds)) == 3


def test_suite_runs_at_real_time_in_lockstep_and_composed_otherwise(log, plan):
    Session(plan).run()

    (first, first_order), (second, second_order), (third, third_order) = suites(log)
    assert (first.pace, second.pace, third.pace) == ('realtime', 'lockstep', 'realtime')
    assert first.groups == second.groups != third.groups
    assert len({first.run, second.run, third.run}) == 3
    assert (first_order.looks, second_order.looks, third_order.looks) == (2, 0, 0)
    assert first_order.everything
    assert not second_order.everything
    setup = next(entry[1] for entry in log if entry[0] == 'setup')
    assert setup.noise == first.parameters['driver'] == session.STEADY or setup.noise


def test_part_that_breaks_leaves_the_others_alone(log, plan, monkeypatch):
    working = session.run_suite

    def suite(configuration, order, *, progress):
        if configuration.pace == 'lockstep':
            raise RuntimeError('the driver did not come up')
        return replace(working(configuration, order, progress=progress), problem='1 of 4 trials')

    monkeypatch.setattr(session, 'run_suite', suite)

    told = []
    results = Session(plan, tell=told.append).run()

    assert results.lockstep is None
    assert results.realtime is not None
    assert results.other is not None
    assert results.problems['the suite in lockstep'] == 'the driver did not come up'
    assert '1 of 4 trials' in results.problems.values()
    assert any('the driver did not come up' in line for line in told)


def test_suite_is_measured_without_a_bare_process(log, plan, monkeypatch):
    def broken(setup):
        raise BareFailedError('no picture can be drawn here')

    monkeypatch.setattr(session, 'BareProcess', broken)

    results = Session(plan).run()

    assert results.problems['the bare process'] == 'no picture can be drawn here'
    assert results.realtime is not None
    assert results.lockstep is not None


def test_wrong_wishes_are_refused_before_anything_runs(log, plan):
    with pytest.raises(ConfigurationError):
        Session(replace(plan, station='no_such_station'))
    with pytest.raises(StationError) as caught:
        Session(replace(plan, controller='magic'))
    assert caught.value.code is ErrorCode.POLICY_UNKNOWN_CONTROLLER
    assert log == []


def test_compositions_differ():
    assert default_composition() != other_composition()
