"""The facts that a turn of an agent begins with."""

from __future__ import annotations

from enpire_nodes.evolution.desk.views import ArmView, BudgetLine, HistoryView, IdeaView, JobView
from enpire_nodes.evolution.facts import facts


class Desk:
    """Says what the test prepared."""

    def __init__(self, jobs=(), ideas=()) -> None:
        self._jobs, self._ideas = list(jobs), tuple(ideas)

    def status(self):
        return {
            'campaign': 'c1', 'task': 'pin_insertion', 'target': 0.9, 'confirmation_trials': 50,
            'incumbent': {'commit': 'a' * 40, 'subject': 'the start',
                          'first_attempt_successes': 3, 'trials': 8},
            'next': 'the robot waits for you',
        }  # fmt: skip

    def budget(self):
        return [BudgetLine('trials', 12.0, 100.0, 'trials')]

    def jobs(self):
        return self._jobs

    def history(self):
        return HistoryView(self._ideas, words=f'{len(self._ideas)} ideas')


def test_they_say_where_it_stands_and_what_to_do():
    text = facts(Desk())
    assert text.splitlines()[0].startswith('campaign c1, task pin_insertion, target 90.0%')
    assert 'main aaaaaaaaaa "the start": 3 of 8' in text
    assert 'budget trials: 12 of 100 trials' in text
    assert text.endswith('the robot waits for you')
    assert 'last jobs' not in text


def test_the_newest_jobs_and_ideas_are_told_and_old_ones_are_not():
    arm = ArmView('b' * 40, first_attempt_successes=7, trials=8)
    jobs = [
        JobView(f'test-{n:04d}', state='done', message='fine', arms=(arm, arm), p_value=0.25)
        for n in range(20)
    ]
    ideas = [IdeaView(f'{n:040d}', short=f'{n:010d}', subject=f'idea {n}') for n in range(20)]
    text = facts(Desk(jobs, ideas))
    assert 'test-0019 done: 7/8 (bbbbbbbbbb) against 7/8 (bbbbbbbbbb), p = 0.25: fine' in text
    assert 'test-0013' not in text
    assert 'idea 19' in text
    assert 'idea 11' not in text
    assert len(text.splitlines()) < 25
