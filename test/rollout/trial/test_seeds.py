"""Seeds repeat, differ, and do not give each other away."""

from enpire_nodes.rollout.trial import seeds


def test_the_same_campaign_draws_the_same_poses():
    drawn = [seeds.trial_seed(5, index) for index in range(200)]
    assert drawn == [seeds.trial_seed(5, index) for index in range(200)]
    assert len(set(drawn)) == 200
    assert all(0 <= seed < 2**32 for seed in drawn)


def test_another_campaign_draws_others():
    assert seeds.trial_seed(5, 0) != seeds.trial_seed(6, 0)


def test_the_policys_seed_differs_between_attempts_and_from_the_poses():
    assert seeds.policy_seed(9, 1) != seeds.policy_seed(9, 2)
    assert seeds.policy_seed(9, 1) != seeds.trial_seed(9, 1)


def test_fresh_campaign_seeds_differ():
    assert len({seeds.fresh_campaign_seed() for _ in range(20)}) == 20
