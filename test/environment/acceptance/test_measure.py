"""Judging many episodes, here and in worker processes."""

from collections import Counter
import contextlib
import multiprocessing
import os

from bright_bench import Bench, BrokenOpener, die, evidence, hang, KINDS, Opener, threads
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.acceptance import measure as module
from enpire_nodes.environment.acceptance.judged import Case
from enpire_nodes.environment.acceptance.measure import judge_case, measure, plan, try_reset
from enpire_nodes.environment.evidence import save


def test_half_of_a_plan_are_successes_kinds_are_even_and_seeds_unique():
    cases = plan(KINDS, 40, first_seed=100)
    assert Counter(case.kind for case in cases) == {'inserted': 20, 'on_rim': 10, 'tilted': 10}
    assert [case.seed for case in cases] == list(range(100, 140))
    assert plan({'on_rim': False}, 3, first_seed=0) == [
        Case('on_rim', 0),
        Case('on_rim', 1),
        Case('on_rim', 2),
    ]


@pytest.mark.parametrize('workers', [0, 2])
def test_every_case_is_judged_in_order_and_progress_is_told(workers):
    cases = plan(KINDS, 21, first_seed=0)
    told = []
    judged = measure(Opener(), judge_case, cases, workers=workers, progress=told.append)
    assert [one.case for one in judged] == cases
    assert [one.source for one in judged] == [f'made {c.kind} {c.seed}' for c in cases]
    assert [one.redraws for one in judged] == [c.seed % 3 for c in cases]
    assert [one.case.seed for one in judged if one.wrong] == [13]
    assert sum(told) == 21
    assert all(0.0 < one.seconds < 1.0 for one in judged)


def test_stored_evidence_is_judged_too(tmp_path):
    save(evidence('on_rim', 1), tmp_path / 'one.npz')
    judged = measure(Opener(), judge_case, [Case(path=tmp_path / 'one.npz')], workers=0)
    assert (judged[0].kind, judged[0].wrong, judged[0].redraws) == ('on_rim', False, 0)


def test_resets_run_in_other_processes():
    tried = measure(Opener(), try_reset, [('hole', 0), ('lying', 1)], workers=1)
    assert [(one.placement, one.success) for one in tried] == [('hole', False), ('lying', True)]
    assert tried[0].message != str(os.getpid())


def test_workers_run_their_sums_in_one_thread_as_nodes_do(monkeypatch):
    monkeypatch.setenv('OPENBLAS_NUM_THREADS', '7')
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    assert measure(Opener(), threads, [0], workers=1) == [('1', '1')]
    assert os.environ['OPENBLAS_NUM_THREADS'] == '7'
    assert 'OMP_NUM_THREADS' not in os.environ


def test_an_error_in_a_worker_ends_it_all_and_arrives():
    cases = [*plan(KINDS, 20, first_seed=0), Case('broken', 1)]
    with pytest.raises(StationError, match='process') as caught:
        measure(Opener(), judge_case, cases, workers=2)
    assert caught.value.code is ErrorCode.ENVIRONMENT_UNLABELLED


@pytest.mark.parametrize(('do', 'stall', 'words'), [(die, 60.0, 'died'), (hang, 0.5, 'for 0.5 s')])
def test_a_worker_that_dies_or_hangs_is_an_error_and_none_stays_behind(
    monkeypatch, do, stall, words
):
    monkeypatch.setattr(module, 'STALL', stall)
    with pytest.raises(StationError, match=words) as caught:
        measure(Opener(), do, [0, 1], workers=1)
    assert caught.value.code is ErrorCode.REWARD_INTERNAL
    assert multiprocessing.active_children() == []


def test_a_workbench_that_cannot_be_opened_says_why_from_a_worker_too():
    with pytest.raises(StationError, match='nothing can draw here'):
        measure(BrokenOpener(), judge_case, [Case('inserted', 0)], workers=1)


@pytest.mark.parametrize('kind', ['inserted', 'broken'])
def test_the_workbench_of_this_process_is_closed_whatever_happens(kind):
    bench = Bench()
    with contextlib.suppress(StationError):
        measure(lambda: bench, judge_case, [Case(kind, 0)], workers=0)
    assert bench.closed
