"""What a station's run shows, read out of what was seen of it."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.serialization import deserialize_message

from enpire_msgs.msg import MotionLease, Trial, Verdict
from enpire_nodes.benchmark import jitter, latency, losses
from enpire_nodes.benchmark.losses import TopicLoss
from enpire_nodes.benchmark.suite import SuiteRun
from enpire_nodes.benchmark.timing import TrialTiming
from enpire_nodes.benchmark.witness import Sighting
from enpire_nodes.rollout.recorder_parameters import TOPICS
from enpire_nodes.rollout.recording.patterns import matches
from enpire_nodes.rollout.records import TrialRecord
from enpire_nodes.tasks.registry import load_task

CONTROL_RATE = 30.0  # Hz
_ROUNDING = 1000  # ns: an instant that has been a float since
#: In lockstep, one message each control period, without exception.
_EVERY_PERIOD = (
    'joint_states',
    *(
        f'{before}{arm}/{topic}'
        for arm in ('left', 'right')
        for before, topic in (
            ('', 'tcp_pose'),
            ('', 'wrench'),
            ('', 'gripper/state'),
            ('driver/', 'target_pose'),
            ('driver/', 'gripper/command'),
        )
    ),
)


def timings(run: SuiteRun) -> list[TrialTiming]:
    """Return how long each trial took, but for the first, which has no end before it."""
    closed = {
        deserialize_message(seen.data, Trial).trial_id: seen.sent_ns
        for seen in _seen(run, 'trial')
    }
    found = []
    for before, trial in zip(run.trials, run.trials[1:]):
        if before.trial_id in closed and trial.trial_id in closed:
            wall = (closed[trial.trial_id] - closed[before.trial_id]) * 1e-9
            simulated = (trial.end_ns - before.end_ns) * 1e-9
            found.append(TrialTiming.of(trial, wall=wall, simulated=simulated))
    return found


def period_deviations(run: SuiteRun) -> list[float]:
    """Return by how many s each control period of the policy executor was off."""
    executor = run.topic('policy_executor')
    events = []
    for seen in _seen(run, 'command/lease'):
        message = deserialize_message(seen.data, MotionLease)
        events.append((seen.sent_ns, message.holder, message.lease, message.engaged))
    spans = [lease for lease in jitter.leases(events) if lease.holder == executor]
    sent = [seen.sent_ns for seen in _seen(run, f'command/{_arm(run)}/target_pose')]
    return jitter.deviations(sent, spans, 1.0 / CONTROL_RATE)


def verdict_latencies(run: SuiteRun) -> list[float]:
    """Return for each verdict the s since the last picture that it needed."""
    settled = {
        (trial.trial_id, attempt.index): attempt.end_ns
        for trial in run.trials
        for attempt in trial.attempts
    } | run.looks
    pattern = run.topic('camera/*/camera_info')
    pictures = {
        name: [
            latency.Picture(seen.sent_ns, seen.stamp_ns + _ROUNDING) for seen in _seen(run, name)
        ]
        for name in run.topics
        if matches(pattern, name)
    }
    decisions, known = [], set()
    for seen in _seen(run, 'verdict'):
        verdict = deserialize_message(seen.data, Verdict)
        attempt = (verdict.trial_id, verdict.attempt)
        if attempt not in settled or attempt in known:
            continue
        known.add(attempt)
        needed = [vote.samples for vote in verdict.votes if vote.source.startswith('camera/')]
        decisions.append(latency.Decision(seen.sent_ns, settled[attempt], max(needed, default=0)))
    return latency.latencies(decisions, pictures)


def missing_messages(run: SuiteRun) -> list[TopicLoss]:
    """Return what the bags of a run lack, topic by topic.

    :raises StationError: RECORDER_BAG_UNREADABLE, a bag is not whole.
    """
    watched = [topic for name, topic in run.topics.items() if _recorded(run, name)]
    found = []
    for trial in run.trials:
        span = work(run, trial)
        if span is None:
            continue
        bag = losses.bag_messages(run.bag(trial))
        if run.configuration.pace == 'lockstep':
            names = [run.topic(name) for name in _EVERY_PERIOD]
            found.append(losses.against_stamps(bag, names, span, 1e9 / CONTROL_RATE))
        else:
            found.append(losses.against_witness(bag, watched, span))
    return losses.total(found)


def work(run: SuiteRun, trial: TrialRecord) -> losses.Span | None:
    """Return from when to when a trial moved arms and judged, ns of the station's clock.

    The recorder had confirmed before that it receives; what comes after may miss in the bag.

    :return: None for a trial that nobody began.
    """
    stamps = [
        seen.stamp_ns
        for name in ('command/lease', 'verdict')
        for seen in _seen(run, name)
        # in lockstep the next trial may begin at the instant at which this one ends
        if trial.start_ns <= seen.stamp_ns < trial.end_ns
    ]
    return (min(stamps), max(stamps)) if stamps else None


def overlooked(run: SuiteRun) -> int:
    """Return how many messages the witness itself did not get."""
    return sum(topic.overlooked for topic in run.topics.values())


def diagnostics(run: SuiteRun, node: str) -> dict[str, str]:
    """Return what a node last said of itself on ``/diagnostics``."""
    full = run.topic(node)
    for seen in reversed(_seen(run, '/diagnostics')):
        for status in deserialize_message(seen.data, DiagnosticArray).status:
            if status.name.startswith(full):
                return {item.key: item.value for item in status.values}
    return {}


def _recorded(run: SuiteRun, name: str) -> bool:
    return any(matches(run.topic(pattern), name) for pattern in TOPICS)


def _seen(run: SuiteRun, name: str) -> list[Sighting]:
    topic = run.topics.get(run.topic(name))
    return sorted(topic.sightings, key=lambda seen: seen.sent_ns) if topic else []


def _arm(run: SuiteRun) -> str:
    configuration = run.configuration
    return load_task(configuration.task, configuration.task_file).arm
