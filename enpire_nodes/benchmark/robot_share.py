"""How much of its time the robot works for an agent that thinks: a serial loop, and our queue.

The same simulated station, the same agent with the same thinking times, in turns (A B B A). In the
serial loop the robot waits while the agent thinks; in the other the station's own work fills the
queue (here exploring trials of the same recipe) and leaves off when the agent asks. The thinking
times are given, chosen such that the robot of the serial loop waits about half of the time, as the
paper reports of its agents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
import threading
import time
from typing import Any

import numpy as np

from enpire_nodes.benchmark.calling import CallFailedError
from enpire_nodes.evolution.accounting.station_time import within
from enpire_nodes.evolution.campaign.background import Background
from enpire_nodes.evolution.campaign.campaign import Campaign
from enpire_nodes.evolution.campaign.desk import CampaignDesk
from enpire_nodes.evolution.campaign.settings import CampaignSettings
from enpire_nodes.evolution.desk.views import TrialAsk
from enpire_nodes.evolution.records import Budgets, CampaignRecord, Job, JobState
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.ledger.chain import TRIAL_CLOSED, TRIAL_STARTED

#: s that the agent thinks before each of its requests, in every block.
THINKING = (7.0, 16.0, 11.0)
TRIALS = 3  # of each request
GOAL = 0.9
SERIAL, QUEUE = 'serial', 'queue'
_BLOCKS = (SERIAL, QUEUE, QUEUE, SERIAL)
_ANSWER = 600.0  # s for a request


@dataclass(frozen=True, slots=True)
class Block:
    """One stretch of time in one mode, ns of the wall clock."""

    mode: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class RobotShare:
    """What came of it; shares are of the wall clock.

    :param serial: MRU of the serial loop, ``queue`` of ours; ``executing`` the strict ones.
    :param delays: of each of the agent's requests in our queue, from asking to its first trial, in
        units of the longest trial there.
    :param handover: s from the end of a trial to the start of the next, in our queue.
    """

    serial: float
    queue: float
    serial_executing: float
    queue_executing: float
    delays: tuple[float, ...]
    longest_trial: float
    handover: tuple[float, ...]
    blocks: int
    thinking: tuple[float, ...]

    def __str__(self) -> str:
        gaps = 1e3 * np.array(self.handover or (np.nan,))
        thinking = ', '.join(f'{seconds:g}' for seconds in self.thinking)
        return (
            f'robot utilization: {self.queue:.1%} with the queue (goal {GOAL:.0%}), '
            f'{self.serial:.1%} in the serial loop, {self.queue / self.serial:.2f} times; '
            f'executing alone {self.queue_executing:.1%} and {self.serial_executing:.1%}\n'
            f'  {self.blocks} blocks in turns, thinking {thinking} s; a request of the agent '
            f'waited for {max(self.delays):.2f} of the longest trial ({self.longest_trial:.1f} s) '
            'at most (goal 1); from trial to trial '
            f'{np.median(gaps):.0f} ms at the median, {np.percentile(gaps, 99):.0f} ms at p99'
        )


def measure(
    directory: Path,
    *,
    thinking: Sequence[float] = THINKING,
    trials: int = TRIALS,
    tell: Callable[[str], None] = lambda line: None,
) -> RobotShare:
    """Bring a station up and measure it.

    :raises CallFailedError: a request was not answered in time.
    :raises StationNotReadyError, StationTakenError, OSError: the station did not come up.
    """
    with _campaign(directory) as (campaign, desk):
        # a learner that wants experience is what fills the queue when nothing else does
        _ask(desk, TrialAsk('main', trials=1, explore=True))
        blocks = []
        for number, mode in enumerate(_BLOCKS, start=1):
            tell(f'robot utilization: {mode}, block {number} of {len(_BLOCKS)}')
            blocks.append(_block(campaign, desk, mode, thinking, trials))
        campaign.evidence.read()
        jobs = list(campaign.book.jobs.values())
    with LedgerReader(directory) as ledger:
        return evaluate(ledger, jobs, blocks, tuple(thinking))


def evaluate(
    ledger: LedgerReader, jobs: Sequence[Job], blocks: Sequence[Block], thinking: tuple[float, ...]
) -> RobotShare:
    """Add up what the ledger says of the blocks."""
    intervals = ledger.intervals()
    shares: dict[str, list[Any]] = {SERIAL: [], QUEUE: []}
    for block in blocks:
        shares[block.mode].append(within(intervals, block.start_ns, block.end_ns))
    entries = list(ledger.entries())
    started = [e for e in entries if e.kind == TRIAL_STARTED]
    closed = [e for e in entries if e.kind == TRIAL_CLOSED]
    first = {e.request_id: e.wall_ns for e in reversed(started)}
    ours = [block for block in blocks if block.mode == QUEUE]

    def inside(instant: int) -> bool:
        return any(block.start_ns <= instant <= block.end_ns for block in ours)

    longest = max(e.data['wall_seconds'] for e in closed if inside(e.wall_ns))
    delays = [
        max(0, first[job.arms[0].request_id] - job.created_ns) / 1e9 / longest
        for job in jobs
        if job.requester == 'agent' and inside(job.created_ns) and job.arms[0].request_id in first
    ]
    ends = sorted(e.wall_ns for e in closed)
    gaps = []
    for entry in started:
        before = [end for end in ends if end <= entry.wall_ns]
        if before and inside(before[-1]) and inside(entry.wall_ns):
            gaps.append((entry.wall_ns - before[-1]) / 1e9)
    return RobotShare(
        *(_share(shares[mode], 'robot_seconds') for mode in (SERIAL, QUEUE)),
        *(_executing(shares[mode]) for mode in (SERIAL, QUEUE)),
        delays=tuple(delays),
        longest_trial=longest,
        handover=tuple(gaps),
        blocks=len(blocks),
        thinking=thinking,
    )


def _share(found: Sequence[Any], name: str) -> float:
    return sum(getattr(u, name) for u in found) / sum(u.wall_seconds for u in found)


def _executing(found: Sequence[Any]) -> float:
    return sum(u.execution_utilization * u.wall_seconds for u in found) / sum(
        u.wall_seconds for u in found
    )


def _block(
    campaign: Campaign, desk: CampaignDesk, mode: str, thinking: Sequence[float], trials: int
) -> Block:
    share = 1.0 if mode == QUEUE else 0.0
    settings = replace(campaign.settings, background_share=share)
    with campaign.changed:
        campaign.background = Background(campaign.book, campaign.evidence, settings)
        for job in campaign.book.open_jobs():  # what the block before has left in the queue
            campaign.schedule.remove(job.job_id)
            campaign.book.change(job.job_id, JobState.CANCELED, 'another block begins')
        campaign.changed.notify_all()
    _rest(campaign)
    start = time.time_ns()
    for seconds in thinking:
        time.sleep(seconds)
        _ask(desk, TrialAsk('main', trials=trials))
    return Block(mode, start, time.time_ns())


def _rest(campaign: Campaign) -> None:
    """Wait until the robot has ended the trial under way."""
    deadline = time.monotonic() + _ANSWER
    while campaign.busy:
        if time.monotonic() > deadline:
            raise CallFailedError(f'a trial was not over within {_ANSWER:g} s')
        time.sleep(0.05)


def _ask(desk: CampaignDesk, ask: TrialAsk) -> None:
    job_id, deadline = desk.submit(ask).job_id, time.monotonic() + _ANSWER
    while not desk.job(job_id, wait=5.0).ended:
        if time.monotonic() > deadline:
            raise CallFailedError(f'{job_id} was not done within {_ANSWER:g} s')
    view = desk.job(job_id)
    if view.state != 'done':
        raise CallFailedError(f'{job_id} is {view.state}: {view.message}')


@contextmanager
def _campaign(directory: Path) -> Iterator[tuple[Campaign, CampaignDesk]]:
    """Bring a station up with a campaign on it, and let the robot work for it."""
    from enpire_nodes.bringup.configuration import load_configuration
    from enpire_nodes.bringup.station import StationProcesses
    from enpire_nodes.bringup.table import NODES, SUPERVISOR
    from enpire_nodes.environment.contract.signing import signing_key
    from enpire_nodes.evolution.hub.repository import Hub
    from enpire_nodes.evolution.journal import research_directory
    from enpire_nodes.evolution.researcher.start import seed_hub

    seed_hub(directory, 'pin_insertion')
    nodes = [name for name in NODES if name != SUPERVISOR]
    configuration = load_configuration('station_1', pace='lockstep', run=directory, nodes=nodes)
    with StationProcesses(configuration) as station:
        station.wait_ready(120.0)
        hub = Hub(research_directory(directory) / 'hub.git')
        campaign = Campaign(directory, hub, key=signing_key(), settings=CampaignSettings())
        campaign.begin(
            CampaignRecord(
                'bench', 'station_1', 'pin_insertion', 'bench', '', 0.9, 50,
                Budgets(trials=100_000), str(hub.path),
            )
        )  # fmt: skip
        with _robot(station.namespace, campaign):
            yield campaign, CampaignDesk(campaign)
        campaign.close()


@contextmanager
def _robot(namespace: str, campaign: Campaign) -> Iterator[None]:
    """Ask the trial runner as the supervisor does, in two threads."""
    import rclpy
    from rclpy.context import Context
    from rclpy.executors import SingleThreadedExecutor

    from enpire_nodes.evolution.robot import Robot

    context, over = Context(), threading.Event()
    rclpy.init(context=context, args=[])
    node = rclpy.create_node(
        'bench_robot', namespace=namespace, context=context, use_global_arguments=False
    )
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    robot = Robot(node)

    def spin() -> None:
        while not over.is_set():
            executor.spin_once(timeout_sec=0.1)

    def work() -> None:
        while not over.is_set():
            piece = campaign.next_slice()
            if piece is None:
                with campaign.changed:
                    campaign.changed.wait(0.1)
                continue
            campaign.slice_ended(piece, *robot.run(piece))

    threads = [threading.Thread(target=target, daemon=True) for target in (spin, work)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        threads[1].join(60.0)
        robot.close()
        threads[0].join(5.0)
        executor.shutdown(timeout_sec=1.0)
        node.destroy_node()
        rclpy.try_shutdown(context=context)
