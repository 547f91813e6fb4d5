"""Measure the trial recorder at a station's full load: its CPU share, and messages lost.

One process publishes what a station publishes (two JPEG cameras at 10 Hz, arm states of both arms
at 100 Hz, commands at 30 Hz), every message numbered; the recorder runs in a process of its own;
the numbers in the bag must then follow each other without a gap.

    python scripts/measure_recorder.py --seconds 20
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import os
from pathlib import Path
import subprocess
import sys
import tempfile
import time

from geometry_msgs.msg import PoseStamped, WrenchStamped
import psutil
import rclpy
from rosbags.highlevel import AnyReader
from sensor_msgs.msg import CompressedImage, JointState

from enpire_msgs.msg import SafetyState
from enpire_msgs.srv import StartRecording, StopRecording
from enpire_nodes.ros import qos
from enpire_nodes.ros.main import make_executor

NAMESPACE = '/station_1'
JPEG_BYTES = 12_000  # a 320x240 picture of the bench at quality 90


class Load:
    """Publishes a station's topics, numbered in ``header.frame_id``."""

    def __init__(self, rate: float) -> None:
        self.node = rclpy.create_node('load', namespace=NAMESPACE)
        self._numbers: dict[str, int] = {}
        fast = [(JointState, 'joint_states')]
        for arm in ('left', 'right'):
            fast += [
                (PoseStamped, f'{arm}/tcp_pose'),
                (WrenchStamped, f'{arm}/wrench'),
                (JointState, f'{arm}/gripper/state'),
            ]
        commands = [
            (PoseStamped, f'{side}/{arm}/target_pose')
            for side in ('command', 'driver')
            for arm in ('left', 'right')
        ]
        pictures = [
            (CompressedImage, f'camera/{name}/image_raw/compressed') for name in ('side', 'front')
        ]
        for topics, profile, topic_rate in (
            (fast, qos.ARM_STATE, rate),
            (commands, qos.COMMANDS, 30.0),
            (pictures, qos.IMAGES, 10.0),
        ):
            publishers = [
                (self.node.create_publisher(kind, name, profile), kind, name)
                for kind, name in topics
            ]
            self.node.create_timer(1.0 / topic_rate, lambda these=publishers: self._send(these))
        self._safety = self.node.create_publisher(SafetyState, 'safety_state', qos.LATCHED)
        self._safety.publish(SafetyState(mode=SafetyState.HOLDING))

    def _send(self, publishers: list) -> None:
        for publisher, kind, name in publishers:
            number = self._numbers.get(name, 0)
            self._numbers[name] = number + 1
            message = kind()
            message.header.frame_id = str(number)
            if kind is JointState:
                message.name = [f'joint_{index}' for index in range(7)]
                message.position = message.velocity = message.effort = [0.1 * number] * 7
            elif kind is CompressedImage:
                message.format, message.data = 'jpeg', os.urandom(JPEG_BYTES)
            publisher.publish(message)


def poll(executor: object, client: object, request: object, unfinished: int) -> object:
    """Call a polled service until its answer is final."""
    deadline = time.monotonic() + 30.0
    while time.monotonic() < deadline:
        future = client.call_async(request)
        while not future.done() and time.monotonic() < deadline:
            executor.spin_once(timeout_sec=0.02)
        if future.done() and future.result().outcome != unfinished:
            return future.result()
    raise SystemExit('the recorder did not answer')


def gaps(bag: Path) -> Iterator[tuple[str, int, int]]:
    """Yield each numbered topic with its messages and how many are missing among them."""
    with AnyReader([bag]) as reader:
        numbers: dict[str, list[int]] = {}
        for connection, _, data in reader.messages():
            message = reader.deserialize(data, connection.msgtype)
            frame = getattr(getattr(message, 'header', None), 'frame_id', '')
            if frame.isdecimal():
                numbers.setdefault(connection.topic, []).append(int(frame))
    for topic, found in sorted(numbers.items()):
        yield topic, len(found), found[-1] - found[0] + 1 - len(set(found))


def main() -> int:
    """Measure, print, and exit with 1 when a message was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=20.0)
    parser.add_argument('--rate', type=float, default=100.0, help='Hz of the arm states')
    options = parser.parse_args()
    rclpy.init()
    load = Load(options.rate)
    executor = make_executor()
    executor.add_node(load.node)
    with tempfile.TemporaryDirectory() as directory:
        recorder = subprocess.Popen(
            [sys.executable, '-m', 'enpire_nodes.rollout.trial_recorder', '--ros-args', '-r',
             f'__ns:={NAMESPACE}', '-p', 'minimum_free_mb:=1.0']
        )  # fmt: skip
        try:
            start = load.node.create_client(StartRecording, 'recorder/start')
            stop = load.node.create_client(StopRecording, 'recorder/stop')
            deadline = time.monotonic() + 20.0
            while not start.service_is_ready() and time.monotonic() < deadline:
                executor.spin_once(timeout_sec=0.05)
            for trial in ('first', 'measured'):  # the first one waits until all have met
                begin = time.monotonic()
                bag = Path(directory) / trial / 'bag'
                request = StartRecording.Request(trial_id=trial, bag=str(bag))
                answer = poll(executor, start, request, StartRecording.Response.STARTING)
                start_seconds = time.monotonic() - begin
                if answer.outcome != StartRecording.Response.RECORDING:
                    raise SystemExit(answer.message)
                if trial == 'first':
                    request = StopRecording.Request(trial_id=trial)
                    poll(executor, stop, request, StopRecording.Response.CLOSING)
            process = psutil.Process(recorder.pid)
            used, begin = sum(process.cpu_times()[:2]), time.monotonic()
            while time.monotonic() < begin + options.seconds:
                executor.spin_once(timeout_sec=0.5)
            seconds = time.monotonic() - begin
            share = (sum(process.cpu_times()[:2]) - used) / seconds
            memory = process.memory_info().rss
            begin = time.monotonic()
            result = poll(
                executor, stop, StopRecording.Request(trial_id='measured'),
                StopRecording.Response.CLOSING,
            )  # fmt: skip
            stop_seconds = time.monotonic() - begin
        finally:
            recorder.terminate()
            recorder.wait(timeout=10)
        lost = 0
        for topic, count, missing in gaps(bag):
            lost += missing
            print(f'{topic:55s} {count:7d} messages, {missing} missing')
    messages = sum(item.messages for item in result.topics)
    print(
        f'{seconds:.1f} s: {messages} messages ({messages / seconds:.0f}/s), '
        f'{result.bytes / seconds / 1e3:.0f} kB/s; recorder {100 * share:.1f} % of a core, '
        f'{memory / 1e6:.0f} MB; start {1e3 * start_seconds:.0f} ms, stop and check '
        f'{1e3 * stop_seconds:.0f} ms; outcome {result.outcome} {result.message}; lost {lost}'
    )
    return 1 if lost or result.outcome != StopRecording.Response.CLOSED else 0


if __name__ == '__main__':
    raise SystemExit(main())
