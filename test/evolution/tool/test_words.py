"""Text for the agent: short, and nothing in it is NaN."""

from enpire_nodes.evolution.desk.views import (
    ArmView,
    BudgetLine,
    HistoryView,
    IdeaView,
    JobView,
)
from enpire_nodes.evolution.tool import words


def test_a_job_shows_its_arms_and_the_difference():
    arms = (
        ArmView('ab' * 20, 'wider', 9, 7, 10, 1, 0.61, 0.99),
        ArmView('cd' * 20, 'main', 5, 5, 10, 0, 0.22, 0.78),
    )
    job = JobView('j', 'test', 'running', arms=arms, trials=40, done=21, ahead=3, seconds_left=228,
                  p_value=0.07)  # fmt: skip
    text = '\n'.join(words.job_lines(job))
    assert 'j test running: 21 of 40 trials, 3 before it, about 228 s left' in text
    assert 'abababab' in text
    assert '9/10 (7 at once), 1 left out [61, 99]  wider' in text
    assert 'p = 0.070' in text


def test_what_is_not_known_is_left_out():
    text = '\n'.join(words.job_lines(JobView('j', 'test', 'queued', arms=(ArmView(),), trials=4)))
    assert 'nan' not in text
    view = HistoryView((IdeaView('ab' * 20, subject='Untested'),))
    assert 'nan' not in '\n'.join(words.history_lines(view))


def test_the_history_is_bounded_and_says_what_is_left_out():
    ideas = tuple(IdeaView(f'{n:040x}', f'{n:x}', f'idea {n}', trials=5) for n in range(50))
    view = HistoryView(ideas, ideas[49].commit, ideas[48].commit, 4, (ideas[47].commit,))
    lines = words.history_lines(view)
    assert len(lines) < 30
    assert '(30 older ones' in '\n'.join(lines)
    assert '31+' in '\n'.join(lines)
    assert 'ideas since the last improvement: 4' in lines
    assert len(words.history_lines(view, everything=True)) > 50


def test_an_effect_has_its_bounds():
    idea = IdeaView('ab' * 20, trials=9, effect=0.2, effect_lower=-0.05, effect_upper=0.41)
    assert '+20 [-5, +41]' in '\n'.join(words.history_lines(HistoryView((idea,))))


def test_a_budget_without_a_limit_has_nothing_left_to_count():
    lines = words.budget_lines([BudgetLine('trials', 12, 100), BudgetLine('money', 1.5)])
    assert lines[1].split() == ['trials', '12', '100', '88']
    assert 'no limit' in lines[2]


def test_a_status_is_one_line_a_key():
    status = {
        'target': 0.9,
        'incumbent': {'commit': 'ab', 'lower': None},
        'queue': [],
        'next': 'x',
    }
    assert words.status_lines(status) == [
        'target: 0.9', 'incumbent: commit ab, lower -', 'queue: -',
    ]  # fmt: skip
