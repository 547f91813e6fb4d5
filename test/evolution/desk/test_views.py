"""Views travel as JSON, and come back the same."""

import json
import math

from enpire_nodes.evolution.desk.views import (
    ArmView,
    from_json,
    HistoryView,
    IdeaView,
    JobView,
    to_json,
)


def travel(view):
    return from_json(type(view), json.loads(json.dumps(to_json(view), allow_nan=False)))


def test_a_job_comes_back_with_its_arms():
    arm = ArmView('ab' * 20, 'wider', 3, 2, 5, 1, 0.2, 0.9, ['t1', 't2'])
    job = JobView('j', 'test', 'running', arms=(arm, arm), trials=10, p_value=0.04)
    back = travel(job)
    assert back.arms == (arm, arm)
    assert back.p_value == 0.04
    assert math.isnan(back.seconds_left)


def test_what_is_not_known_is_null_on_the_way_and_nan_at_its_ends():
    data = to_json(IdeaView('ab' * 20))
    assert data['effect'] is None
    assert math.isnan(from_json(IdeaView, data).effect)


def test_a_history_comes_back_with_its_ideas():
    idea = IdeaView('ab' * 20, borrowed=('cd' * 20,), lower=0.1, upper=0.2, effect=0.1,
                    effect_lower=0.0, effect_upper=0.2, p_value=0.3)  # fmt: skip
    view = HistoryView((idea,), idea.commit, '', 2, (idea.commit,), 'look')
    assert travel(view) == view


def test_an_older_client_bears_what_is_new():
    assert from_json(JobView, {'job_id': 'j', 'later': 1}).job_id == 'j'


def test_a_job_has_ended_in_three_states():
    states = ('queued', 'running', 'done', 'canceled', 'failed')
    assert [JobView('j', state=state).ended for state in states] == [False] * 2 + [True] * 3
