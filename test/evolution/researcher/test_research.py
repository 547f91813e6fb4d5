"""One look of the researcher at a time, at a desk in memory."""

from dataclasses import replace
import math

import pytest

from enpire_nodes.benchmark.research.desk import BareDesk
from enpire_nodes.benchmark.research.memory import MemoryRepository
from enpire_nodes.benchmark.research.simulated import assemble, Rehearsed, template_files
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.desk.views import ArmView, BudgetLine, HistoryView, IdeaView, JobView
from enpire_nodes.evolution.researcher.catalogue import CATALOGUE
from enpire_nodes.evolution.researcher.edits import Replace
from enpire_nodes.evolution.researcher.plan import Plan
from enpire_nodes.evolution.researcher.proposer import Proposer
from enpire_nodes.evolution.researcher.repository import Commit
from enpire_nodes.evolution.researcher.research import Room
from enpire_nodes.evolution.researcher.start import start_files
from enpire_nodes.evolution.researcher.tree import Tree

PLAN = Plan(base=2, rungs=(4, 4), keep=(0.5, 0.7), reserve=0, proof=4)
CLONE = next(one for one in CATALOGUE if one.trains).every()[0]
AIM = next(one for one in CATALOGUE if one.key == 'aim-by-eye').every()[0]


class Bench:
    """A researcher with a desk whose trials all end as the test says."""

    def __init__(self, success=True, plan=PLAN):
        files = template_files()
        self.repository = MemoryRepository({**files, **start_files(files)})
        self.main, self.said = self.repository.main, []
        self.desk = BareDesk(lambda commit, seed: success, self.main, lambda commit: None)
        self.proposer = Rehearsed(self.repository, 1)
        self.researcher = assemble(
            self.desk, self.repository, self.proposer, plan=plan, say=self.said.append
        )

    def idea(self, idea=AIM, own=True):
        words = f'{idea.sentence}\n\nIdea: {idea.name}\nParent: {self.main}\n'
        commit = self.repository.commit(self.main, {}, words)
        self.repository._commits[-1] = replace(self.repository._commits[-1], own=own)
        return commit

    def ended(self, *arms, kind='test', **more):
        """Put a job that has ended into the desk."""
        views = tuple(ArmView(c, first_attempt_successes=s, trials=n) for c, s, n in arms)
        view = JobView(f'job-{len(self.desk._jobs) + 1}', kind, 'done', arms=views, **more)
        self.desk._jobs[view.job_id] = type('Job', (), {'view': view})()

    @property
    def asked(self):
        return [job for job in self.desk.jobs() if not job.ended]


def test_the_start_is_measured_first():
    bench = Bench()
    bench.idea()
    assert bench.researcher.step() == ''
    (job,) = bench.asked
    assert (job.arms[0].commit, job.trials) == (bench.main, PLAN.base)


def test_an_idea_that_it_died_over_is_tested():
    bench = Bench()
    made = bench.idea()
    bench.ended((bench.main, 0, 2))
    bench.researcher.step()
    assert [job.arms[0].commit for job in bench.asked] == [made]


def test_what_another_station_is_at_is_not_tested_here():
    bench = Bench()
    made = bench.idea(own=False)
    bench.ended((bench.main, 0, 2))
    bench.researcher.step()
    assert bench.asked
    assert made not in [job.arms[0].commit for job in bench.asked]


def test_a_screening_that_cannot_pass_any_more_is_cut_short():
    bench = Bench(success=False)
    made = bench.idea()
    bench.ended((bench.main, 2, 2))
    bench.researcher.step()
    (job,) = bench.asked
    assert job.arms[0].commit == made
    while not bench.desk.job(job.job_id, wait=1.0).ended:
        bench.researcher.step(wait=0.0)
    ended = bench.desk.job(job.job_id)
    assert ended.state == 'canceled'
    assert 0 < ended.done < ended.trials
    bench.researcher.step()
    assert [words for words in bench.said if words.startswith('given up')] == [
        f'given up: {AIM.sentence} (0 of {ended.done})'
    ]


def test_a_retest_that_fails_refutes_and_one_that_holds_does_not():
    for p_value, refuted in ((0.5, True), (0.01, False)):
        bench = Bench()
        made = bench.idea()
        bench.ended(
            (made, 9, 16), (bench.main, 8, 16), kind='retest', requester='agent', p_value=p_value
        )
        assert bench.researcher.look(bench.desk.jobs()).nodes[made].refuted is refuted


def test_the_stations_own_comparisons_refute_nothing():
    bench = Bench()
    made = bench.idea()
    bench.ended((made, 0, 8), (bench.main, 8, 8), kind='retest', requester='station', p_value=1.0)
    node = bench.researcher.look(bench.desk.jobs()).nodes[made]
    assert not node.refuted
    assert node.fresh.trials == 8


def test_exploring_counts_for_nothing():
    bench = Bench()
    bench.ended((bench.main, 5, 5), kind='explore')
    assert bench.researcher.look(bench.desk.jobs()).nodes[bench.main].count.trials == 0


@pytest.mark.parametrize(
    ('status', 'reason'),
    [({'state': 'over'}, 'campaign is over'), ({'state': 'stopping'}, 'campaign is over')],
)
def test_it_leaves_when_the_campaign_ends(status, reason):
    bench = Bench()
    bench.desk.status = lambda: status
    assert reason in bench.researcher.step()
    assert bench.asked == []


def test_it_leaves_when_a_budget_is_used():
    bench = Bench()
    bench.desk.budget = lambda: [BudgetLine('robot_time', 60.0, 60.0, 's')]
    assert bench.researcher.step() == 'a budget is used up'


@pytest.mark.parametrize(
    ('code', 'ends'),
    [(ErrorCode.SUPERVISOR_BUDGET_USED, True), (ErrorCode.SUPERVISOR_JOB_REFUSED, False)],
)
def test_a_refusal_of_the_station(code, ends):
    bench = Bench()

    def refuse(ask):
        raise StationError(code, 'no')

    bench.desk.submit = refuse
    if ends:
        assert bench.researcher.step() == 'no'
    else:
        with pytest.raises(StationError):
            bench.researcher.step()


def test_it_ends_when_the_catalogue_does(monkeypatch):
    bench = Bench()
    bench.ended((bench.main, 0, 2))
    monkeypatch.setattr(bench.proposer, 'choose', lambda tree: None)
    assert bench.researcher.step() == 'nothing is left to try'


def test_weights_that_the_station_keeps_are_not_trained_anew(monkeypatch):
    bench = Bench()
    made = bench.idea(CLONE)
    bench.ended((bench.main, 0, 2))
    bench.ended((made, 4, 4))
    bench.desk.history = lambda: HistoryView(ideas=(IdeaView(made, weights='sha'),))
    asked = []
    monkeypatch.setattr(bench.desk, 'submit', asked.append)
    monkeypatch.setattr(
        bench.researcher.trainer, 'start', lambda commit: pytest.fail('it is trained again')
    )
    bench.researcher.step()
    assert [(ask.commit, ask.weights) for ask in asked] == [(made, 'sha')]


def test_what_needs_training_waits_for_its_weights(monkeypatch):
    bench = Bench()
    made = bench.idea(CLONE)
    bench.ended((bench.main, 0, 2))
    asked = []
    monkeypatch.setattr(bench.desk, 'submit', asked.append)
    monkeypatch.setattr(bench.proposer, 'choose', lambda tree: None)
    bench.researcher.step()
    assert asked == []
    bench.researcher.trainer.weights[made] = 'sha'
    bench.researcher.step()
    assert [(ask.commit, ask.weights) for ask in asked] == [(made, 'sha')]


def test_room_is_what_the_tightest_budget_leaves():
    lines = [BudgetLine('trials', 10, 100), BudgetLine('wall_clock', 200.0, 500.0)]
    lines += [BudgetLine('tokens', 7.0, 0.0)]
    room = Room.of(lines, done=10)
    assert (room.trials, room.seconds, room.per_trial, room.spent) == (90, 300.0, 20.0, False)
    assert room.most == 15.0
    assert Room.of(lines, done=4).per_trial == 5.0
    assert Room.of([], done=0).most == math.inf


# -- proposals ----------------------------------------------------------------------------------


def proposal(bench, idea=AIM, claim=lambda sentence: True, known=()):
    tree = Tree.of(PLAN, bench.main, known or bench.repository.ideas())
    return bench.proposer.make(tree, idea, claim)


def test_a_claim_of_another_station_is_respected():
    bench = Bench()
    assert proposal(bench, claim=lambda sentence: False) is None
    assert bench.repository.ideas() == []
    assert bench.proposer.refused == {(bench.main, AIM.name): 'another station is at it'}


def test_a_policy_that_does_not_run_is_not_committed(monkeypatch):
    bench = Bench()

    def fail(folder):
        raise StationError(ErrorCode.SUPERVISOR_JOB_REFUSED, 'it raises')

    monkeypatch.setattr('enpire_nodes.evolution.researcher.proposer.rehearse', fail)
    bench.proposer = Proposer(bench.repository, 1)
    assert proposal(bench) is None
    assert bench.proposer.refused == {(bench.main, AIM.name): 'it raises'}
    assert bench.repository.ideas() == []


def test_the_first_way_that_fits_is_taken():
    bench = Bench()
    fits = replace(AIM.template, edits=(lambda v: [Replace('nowhere.py', 'a', 'b')],
                                        *AIM.template.edits))  # fmt: skip
    made = proposal(bench, replace(AIM, template=fits))
    assert made.idea == AIM.name
    assert bench.proposer.refused == {}
    assert '_seen' in bench.repository.files(made.commit)['algorithms/search.py']


def test_the_same_idea_elsewhere_is_named_as_borrowed():
    bench = Bench()
    words, commit = [], bench.repository.commit
    bench.repository.commit = lambda *made: words.append(made[2]) or commit(*made)
    known = [Commit('b' * 40, AIM.name, 'other', AIM.sentence)]
    assert proposal(bench, known=known).borrowed == ('b' * 40,)
    assert words[0].endswith(f'Borrowed-From: {"b" * 40}\n')


@pytest.mark.parametrize(('trains', 'retries'), [(False, False), (True, False), (False, True)])
def test_what_was_refused_or_cannot_matter_is_not_chosen(trains, retries):
    bench = Bench()
    proposer = Rehearsed(bench.repository, 1, trains=trains, retries=retries)
    tree = Tree.of(PLAN, bench.main, [])
    while (idea := proposer.choose(tree)) is not None:
        assert (bench.main, idea.name) not in proposer.refused
        proposer.refused[bench.main, idea.name] = 'no'
    every = {
        idea.name
        for kind in CATALOGUE
        if (trains or not kind.trains) and (retries or not kind.retries)
        for idea in kind.every()
    }
    assert {name for _, name in proposer.refused} == every


def refuse(*given, **named):
    raise StationError(ErrorCode.SUPERVISOR_JOB_REFUSED, 'it is being tested already')


def test_what_is_refused_while_something_runs_is_asked_for_again(monkeypatch):
    bench = Bench()
    bench.researcher.step()
    bench.idea()
    monkeypatch.setattr(bench.desk, 'submit', refuse)
    assert bench.researcher.step(wait=0.0) == ''
    assert bench.said[-1] == 'not now: it is being tested already'
    monkeypatch.undo()
    for _ in range(20):
        bench.researcher.step()
    assert len(bench.desk.jobs()) > 1


def test_what_is_refused_though_nothing_runs_is_an_error(monkeypatch):
    bench = Bench()
    monkeypatch.setattr(bench.desk, 'submit', refuse)
    with pytest.raises(StationError, match='being tested already'):
        bench.researcher.step()
