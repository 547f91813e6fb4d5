"""A campaign on a simulated station, as long as its start is measured."""

from enpire_nodes.benchmark.research.campaigns import campaign


def test_a_budget_that_the_start_uses_up(capsys):
    outcome = campaign(1, drift=0.003, trials=2)
    assert outcome['trials'] == 2
    assert outcome['start'].endswith(' of 2')
    assert (outcome['ideas'], outcome['best'], outcome['retests']) == (0, [], [])
    assert 'a budget is used up' in capsys.readouterr().out
