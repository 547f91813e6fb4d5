"""Reset, policy, settle, judge, and again: the arm alone, no state reload, against the truth."""

import dataclasses

import numpy as np
from pin_bench import HONEST
import pytest

from enpire_nodes.rollout.controllers import registry
from enpire_nodes.rollout.controllers.interface import AttemptContext
from enpire_nodes.rollout.policy.attempt import AttemptMotion, execute
from enpire_nodes.tasks.api import Outcome

pytestmark = pytest.mark.timeout(300)


def attempt(made, verifier, report, controller):
    """Execute and settle one attempt, and judge it; return the judgement and the truth."""
    task, motion = made.task, made.task.motion

    def watch(observation):
        verifier.add_arm_state(observation.arms[task.arm])
        for name, frame in observation.frames.items():
            verifier.add_frame(name, frame)

    arm = AttemptMotion(
        task.arm,
        task.observer(made.cameras, report.fixture),
        origin=report.fixture.position,
        quaternion=task.hand_down,
        gripper_width=motion['grip_width'],
        gripper_effort=motion['grip_effort'],
    )
    context = AttemptContext(goal_position=report.fixture.position, timeout=10.0)
    done = made.run(execute(controller, arm, task.settle(report.fixture), context), watch=watch)
    window = {'settle_start': done.settle.settle_start, 'settled': done.settle.settled}
    for _ in range(60):
        if verifier.ready(**window):
            break
        watch(made.station.step({}))
    return verifier.decide(now=made.station.now, **window), made.truth['success'], done


@pytest.mark.parametrize(('name', 'least'), [('scripted', 1), ('spiral_search', 3)])
def test_a_few_cycles(bench, name, least):
    made = bench(seed=31, noise=dataclasses.replace(HONEST, drift_sd=0.002, drift_time=40.0))
    verifier = made.task.verifier(made.cameras)
    outcomes, seconds = [], []
    for seed in range(3):
        begun = made.station.now
        report = made.run(made.task.reset(made.cameras, seed=seed))
        judgement, success, done = attempt(made, verifier, report, registry.make(name))
        outcomes.append((judgement.outcome, success))
        seconds.append(made.station.now - begun)
        assert done.settle.can_retry == (not success)
    assert all((outcome is Outcome.SUCCESS) == success for outcome, success in outcomes)
    assert sum(success for _, success in outcomes) >= least
    assert np.mean(seconds) < 16.0


def test_a_failed_attempt_can_be_tried_again_without_a_reset(bench):
    made = bench(seed=32, noise=dataclasses.replace(HONEST, drift_sd=1e-9))
    verifier = made.task.verifier(made.cameras)
    report = made.run(made.task.reset(made.cameras, seed=1))
    hold = registry.make('hold')
    judgement, success, done = attempt(made, verifier, report, hold)
    assert (judgement.outcome, success) == (Outcome.FAILURE, False)
    assert done.settle.can_retry
    judgement, success, _ = attempt(made, verifier, report, registry.make('spiral_search'))
    assert (judgement.outcome, success) == (Outcome.SUCCESS, True)
