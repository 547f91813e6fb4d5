"""A night in miniature, with everything in it that is killed in the nights of a lab."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import signal

from night_support import IDEA, living, Night, REST, SECRET
import psutil
import pytest
from scripted_model import Step

from enpire_msgs.action import RunResearch
from enpire_nodes.evolution.hub.git import git
from enpire_nodes.evolution.records import JobState, Tokens
from enpire_nodes.evolution.report.verify import verify_run
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.sandbox.bubblewrap import availability

pytestmark = [
    pytest.mark.ros,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not availability().usable, reason='bubblewrap does not work here'),
]

ASK = Step(shell=f'{IDEA}\nenpire trial submit -n 4 --against main')
WAIT = Step(shell='enpire trial wait --max 60', tokens=Tokens(321, 45, 6, 78, 9))
CAMPAIGN = [
    Step(shell='cat PROGRAM.md; enpire status'),
    ASK,
    WAIT,
    Step(shell='enpire trial result; enpire history; enpire budget', think='hm'),
    Step(shell='enpire publish'),
    REST,
]


@pytest.fixture
def night(ros, tmp_path, monkeypatch) -> Iterator[Night]:
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    night = Night(ros, tmp_path)
    yield night
    night.close()
    assert night.agents() == []


def whole(night: Night) -> None:
    """Fail unless everything that is on the disk holds together."""
    assert verify_run(night.run) == []
    assert night.miscounted() == []
    assert night.book().tokens == night.model.truth
    texts = [p for p in night.run.rglob('*') if p.is_file() and p.suffix != '.sqlite']
    assert [p for p in texts if SECRET.encode() in p.read_bytes()] == []


def test_an_agent_finds_a_recipe_that_is_certified_and_every_token_is_counted(night):
    night.start(CAMPAIGN)
    result = night.result(night.send())
    assert result.outcome == RunResearch.Result.CERTIFIED, result.message
    assert Path(result.report).is_file()
    book = night.book()
    assert book.promotions[-1].commit == night.hub.main == result.best_commit
    assert book.tokens == night.model.truth
    assert book.tokens.total > 0
    assert night.agents() == []
    kinds = [job.kind.name for job in book.jobs.values()]
    assert kinds == ['TEST', 'RETEST', 'CONFIRM']
    whole(night)


def test_a_budget_of_tokens_ends_the_campaign_and_nothing_is_lost(night):
    cost = Tokens(900, 0, 0, 100, 0)
    step = Step(shell=f'{IDEA}\nenpire trial submit -n 2', tokens=cost, delay=0.5)
    night.start([step] * 20)
    result = night.result(night.send(budget_tokens=3000, budget_trials=0))
    assert result.outcome == RunResearch.Result.BUDGET_USED, result.message
    assert 'tokens' in result.message
    assert Path(result.report).is_file()
    book = night.book()
    assert book.tokens.total == 3000
    statuses = (night.research / 'agent' / 'home' / 'statuses').read_text().split()
    assert statuses[:3] == ['200'] * 3
    assert set(statuses[3:]) <= {'402'}
    clone = night.research / 'agent' / 'workspace' / '.git'
    made = git(clone, 'rev-list', 'HEAD', '--not', 'refs/remotes/origin/main').text.split()
    held = git(night.hub.path, 'rev-list', '--all').text.split()
    assert made
    asked = {arm.commit for job in book.jobs.values() for arm in job.arms}
    assert asked <= set(held)
    assert {idea.commit for idea in night.hub.ideas()} == set(book.ideas)
    whole(night)


def test_an_agent_that_is_killed_goes_on_with_its_conversation_and_is_told_facts(night):
    night.start([ASK, WAIT, REST])
    night.send()
    night.until(lambda: night.model.steps().count(2), 'an agent that has seen its result')
    before = night.agents()
    # not a child of it that is just being made, which has its command line for a moment
    named = [p for p in before if p.name() != 'bwrap' and 'agent.py' in ' '.join(cmdline(p))]
    agent = min(named, key=lambda p: (p.create_time(), p.pid))
    agent.kill()
    night.until(lambda: not living(agent), 'the end of the agent')
    asked = night.until(
        lambda: [a for a in night.model.asked if 'Facts from the station' in str(a.body)],
        'an agent that was started again',
    )[0]
    said = asked.body['messages']
    assert 'Read PROGRAM.md' in str(said[0]['content'])  # the same conversation
    assert 'Facts from the station' in str(said[-1]['content'])
    assert 'test-0001 done' in str(said[-1]['content'])
    assert [p for p in before if living(p)] == []
    assert len({e.data['session'] for e in night.book().entries
                if e.kind == 'agent' and e.data['event'] == 'session'}) == 1  # fmt: skip


def test_with_a_supervisor_that_is_killed_its_agent_ends_and_the_next_one_goes_on(night):
    night.seconds = 0.08
    begin = Step(shell=f'{IDEA}\nenpire trial submit -n 8 --against main')
    night.start([begin, WAIT, Step(shell='enpire publish'), REST])
    night.send()
    night.until(lambda: night.trials() >= 3, 'trials')
    sockets = night.research / 'sockets'
    folder = Path(os.readlink(sockets))
    assert (folder / 'trial.sock').is_socket()
    family = night.kill(night.supervisor)
    assert [p for p in family if 'agent.py' in ' '.join(cmdline(p))]
    night.until(lambda: not [p for p in family if living(p)], 'the end of the agent')
    night.until(lambda: not night.agents(), 'the end of everything that the agent started')
    session = night.book().session
    before = night.trials()

    night.start_supervisor()
    night.until(lambda: night.book().finished, 'the end of the campaign')
    book = night.book()
    assert book.finished['outcome'] == 'CERTIFIED', book.finished
    assert book.session == session
    assert night.trials() > before
    assert not folder.exists()
    night.until(lambda: not sockets.is_symlink(), 'sockets that are put away')
    assert night.miscounted() == []
    assert verify_run(night.run) == []


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return ['agent.py of one that is gone']


def test_a_runner_that_is_killed_in_the_middle_of_a_trial_costs_at_most_that_trial(night):
    night.seconds = 0.4
    night.start(CAMPAIGN)
    handle = night.send()
    night.until(lambda: night.trials() >= 2 and night.open_trials(), 'trials, and one under way')
    night.kill(night.runner)
    assert night.open_trials() == 1
    night.seconds = 0.02
    night.start_runner()
    result = night.result(handle)
    assert result.outcome == RunResearch.Result.CERTIFIED, result.message
    with LedgerReader(night.run) as ledger:
        (lost,) = [trial for trial in ledger.trials() if not trial.judged]
    assert lost.requester == 'agent'
    whole(night)


def test_what_was_killed_leaves_no_lock_in_the_clone(night):
    night.start([ASK, WAIT, REST])
    night.send()
    night.until(lambda: night.model.steps().count(2), 'an agent that rests')
    clone = night.research / 'agent' / 'workspace' / '.git'
    (clone / 'index.lock').touch()
    (clone / 'HEAD.lock').touch()
    night.kill(night.supervisor)
    night.model.script[:] = [Step(shell=f'{IDEA}\nenpire publish'), REST]
    night.start_supervisor()
    night.until(
        lambda: [j for j in night.book().jobs.values() if j.kind.name == 'RETEST'],
        'a commit and a push, which the locks would stop',
    )
    night.supervisor.send_signal(signal.SIGINT)
    assert night.supervisor.wait(60.0) == 0
    assert night.book().finished is None
    assert JobState.UNSET not in night.book().states.values()
