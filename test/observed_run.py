"""A station's run as a witness would have seen it, made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.serialization import serialize_message
from trial_support import COUNTER, counter, ended, open_trial

from enpire_msgs.msg import MotionLease, Trial, Verdict, Vote
from enpire_nodes.benchmark.suite import SuiteRun
from enpire_nodes.benchmark.witness import fingerprint, Sighting, Watched
from enpire_nodes.bringup.configuration import load_configuration
from enpire_nodes.rollout.recording.metadata import OfferedQos
from enpire_nodes.rollout.recording.writer import BagWriter

SPACE = '/station_1'
SECOND = 10**9
#: s between the ends of two trials.
CYCLE = 12
PERIOD = SECOND // 30


class ObservedRun:
    """Three trials, 12 s apart; the first warms up. Each has one attempt.

    :param late_ms: by how much every second command was late.
    :param judged_ms: from the last needed picture to the verdict.
    """

    def __init__(
        self, directory: Path, *, late_ms: float = 2.0, judged_ms: float = 20.0, lost: int = 0
    ) -> None:
        configuration = load_configuration('station_1', run=directory, pace='realtime')
        self.run = SuiteRun(configuration)
        self._sent: list[tuple[str, int, bytes]] = []
        self._count = 0
        for number in range(3):
            self._trial(number, late_ms=late_ms, judged_ms=judged_ms, lost=lost)
        self.run.memory = {'driver': 200_000_000, 'safety_gate': 50_000_000}
        self.run.shares = {'driver': 0.3, 'safety_gate': 0.1}
        status = DiagnosticStatus(
            name=f'{SPACE}/policy_executor',
            values=[KeyValue(key='period jitter p99 [ms]', value='1.50')],
        )
        self.see('/diagnostics', 1, serialize_message(DiagnosticArray(status=[status])))

    def see(self, topic: str, sent_ns: int, data: bytes = b'', stamp_ns: int = 0) -> None:
        """Let the witness have seen a message; only those with ``data`` are kept whole."""
        self._count += 1
        content = data or counter(self._count)
        watched = self.run.topics.setdefault(topic, Watched(topic, 1, False))
        number = len(watched.sightings) + 1
        watched.sightings.append(Sighting(sent_ns, number, fingerprint(content), stamp_ns, data))
        self._sent.append((topic, sent_ns, content))

    def _trial(self, number: int, *, late_ms: float, judged_ms: float, lost: int) -> None:
        start = (100 + CYCLE * number) * SECOND
        name = f'trial_{number}'
        settled = start + 9 * SECOND
        self._lease('scene_reset', start + SECOND, start + 3 * SECOND)
        self._lease('policy_executor', start + 4 * SECOND, start + 8 * SECOND)
        for step in range(1, 100):
            late = round(late_ms * 1e6) if step % 2 else 0
            self.see(
                f'{SPACE}/command/right/target_pose', start + 4 * SECOND + step * PERIOD + late
            )
        for camera, delay in (('side', 5_000_000), ('front', 10_000_000)):
            for picture in range(5):
                exposed = settled + picture * SECOND // 10
                self.see(f'{SPACE}/camera/{camera}/camera_info', exposed + delay, b'', exposed)
        verdict = Verdict(trial_id=name, attempt=1, votes=[Vote(source='camera/side', samples=3)])
        decided = settled + 2 * SECOND // 10 + 10_000_000 + round(judged_ms * 1e6)
        self.see(f'{SPACE}/verdict', decided, serialize_message(verdict), decided)
        end = start + 11 * SECOND
        self.see(f'{SPACE}/trial', end, serialize_message(Trial(trial_id=name)))
        trial = ended(open_trial(name, seed=number, start_ns=start))
        attempt = replace(trial.attempts[0], index=1, end_ns=settled)
        self.run.trials.append(replace(trial, attempts=(attempt,), end_ns=end, reset_retries=0))
        self._bag(name, start, lost)

    def _bag(self, name: str, start: int, lost: int) -> None:
        for number in range(1000):
            self.see(f'{SPACE}/joint_states', start + number * 10_000_000)
        path = self.run.configuration.run / 'trials' / name / 'bag'
        path.parent.mkdir(parents=True)
        writer = BagWriter(path)
        channels: dict[str, int] = {}
        sent, self._sent = self._sent, []
        for topic, instant, content in sorted(sent, key=lambda one: one[1]):
            if topic == f'{SPACE}/trial':
                continue
            if topic not in channels:
                channels[topic] = writer.add_topic(topic, COUNTER, (OfferedQos(),))
            missing = topic.endswith('joint_states') and (
                0 <= instant - start - 5 * SECOND < lost * 10_000_000
            )
            if not missing:
                writer.write(channels[topic], content, instant)
        writer.close()

    def _lease(self, holder: str, start: int, end: int) -> None:
        for instant, engaged in ((start, True), (end, False)):
            message = MotionLease(holder=f'{SPACE}/{holder}', lease=start, engaged=engaged)
            self.see(f'{SPACE}/command/lease', instant, serialize_message(message), instant)
