"""What the supervisor hears and tells, as messages."""

from __future__ import annotations

import math

from builtin_interfaces.msg import Duration, Time
import numpy as np
from sensor_msgs.msg import Image

from enpire_msgs.action import RunResearch
from enpire_msgs.msg import ResearchStatus, Utilization
from enpire_nodes.evolution.records import Budgets
from enpire_nodes.evolution.view import Asked, Ended, ResearchView


def contradiction(goal: RunResearch.Goal) -> str:
    """Return what is wrong with a goal, in words; empty when nothing is."""
    budgets = budgets_of(goal)
    if not any((budgets.tokens, budgets.money, budgets.wall_clock, budgets.robot_time,
                budgets.trials)):  # fmt: skip
        return 'no budget is set: a campaign must end by itself; set at least one'
    if min(budgets.money, budgets.wall_clock, budgets.robot_time) < 0.0:
        return 'a budget is negative; 0 is no limit'
    if not 0.0 < goal.target_success_rate < 1.0:
        return f'target_success_rate is {goal.target_success_rate}; it lies between 0 and 1'
    if goal.confirmation_trials < 1:
        return 'confirmation_trials must be at least 1'
    best = 0.05 ** (1.0 / goal.confirmation_trials)  # Clopper-Pearson without a failure
    if best < goal.target_success_rate:
        return (
            f'{goal.confirmation_trials} trials without a failure certify {best:.1%}, less than '
            f'the target of {goal.target_success_rate:.1%}: ask for more trials'
        )
    if len(goal.campaign) > 60 or any(not (c.isalnum() or c in '-_.') for c in goal.campaign):
        return 'the name of a campaign has letters, digits, ".", "_" and "-", 60 at most'
    return ''


def asked(goal: RunResearch.Goal) -> Asked:
    """Return a goal as plain values."""
    return Asked(
        task=goal.task,
        agent=goal.agent or 'builtin',
        model=goal.model,
        campaign=goal.campaign,
        target=goal.target_success_rate,
        confirmation_trials=goal.confirmation_trials,
        budgets=budgets_of(goal),
    )


def budgets_of(goal: RunResearch.Goal) -> Budgets:
    """Return the budgets of a goal."""
    return Budgets(
        tokens=goal.budget_tokens,
        money=goal.budget_money,
        wall_clock=_seconds(goal.budget_wall_clock),
        robot_time=_seconds(goal.budget_robot_time),
        trials=goal.budget_trials,
    )


def duration(seconds: float) -> Duration:
    """Return a duration message."""
    whole = math.floor(seconds)
    return Duration(sec=whole, nanosec=min(999_999_999, round((seconds - whole) * 1e9)))


def result(ended: Ended) -> RunResearch.Result:
    """Return how a campaign ended."""
    return RunResearch.Result(
        outcome=getattr(RunResearch.Result, ended.outcome),
        error_code=int(ended.code),
        message=ended.message,
        best_commit=ended.best_commit,
        success_rate=ended.success_rate,
        success_lower_bound=ended.success_lower,
        report=ended.report,
    )


def status(view: ResearchView, stamp: Time) -> ResearchStatus:
    """Return ``research_status``."""
    message = ResearchStatus(
        station=view.station,
        task=view.task,
        campaign=view.campaign,
        agent=view.agent,
        state=getattr(ResearchStatus, view.state),
        state_name=view.state,
        message=view.message,
        ideas=view.ideas,
        queued_trials=view.queued,
        doing=view.doing,
        best_commit=view.best_commit,
        best_success_rate=view.best_rate,
        best_success_lower_bound=view.best_lower,
        budget_used=view.budget_share,
        budget_name=view.budget_name,
        trials=view.trials,
        tokens=view.tokens.total,
        price=view.price,
        robot_seconds=view.robot_seconds,
        report=view.report,
    )
    message.header.stamp = stamp
    return message


def utilization(robot: Utilization, view: ResearchView) -> Utilization:
    """Return ``utilization``: the robot's time as the runner has it, and what the agent took."""
    message = Utilization(
        **{name: getattr(robot, name) for name in robot.get_fields_and_field_types()}
    )
    tokens = view.tokens
    message.background_utilization = max(0.0, robot.robot_utilization - robot.agent_utilization)
    message.gpu_utilization = view.gpu
    message.tokens_input = tokens.fresh
    message.tokens_cached = tokens.cached
    message.tokens_cache_write = tokens.written
    message.tokens_output = tokens.output - tokens.reasoning
    message.tokens_reasoning = tokens.reasoning
    message.tokens_per_minute = view.tokens_per_minute
    message.price = view.price
    message.human_minutes = view.human_seconds / 60.0
    return message


def diagnostics(view: ResearchView | None) -> dict[str, object]:
    """Return what the diagnostics show of a campaign; None when there is none."""
    if view is None:
        return {'campaign': 'none'}
    return {
        'campaign': view.campaign,
        'state': view.state,
        'message': view.message or 'none',
        'ideas': view.ideas,
        'trials': view.trials,
        'queued trials': view.queued,
        'tokens': view.tokens.total,
        'tokens a minute': f'{view.tokens_per_minute:.0f}',
        'price': f'{view.price:.4g}',
        'budget used': f'{view.budget_share:.0%} of {view.budget_name or "none"}',
    }


def image(picture: np.ndarray, stamp: Time) -> Image:
    """Return an (h, w, 3) RGB picture as a message."""
    message = Image(
        height=picture.shape[0], width=picture.shape[1], encoding='rgb8',
        step=3 * picture.shape[1], data=np.ascontiguousarray(picture).tobytes(),
    )  # fmt: skip
    message.header.stamp = stamp
    return message


def _seconds(message: Duration) -> float:
    return message.sec + message.nanosec / 1e9
