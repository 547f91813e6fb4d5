"""Measure what the safety gate costs: latency, CPU share, and ticks a second in lockstep.

Run from the root of the repository, with the workspace sourced::

    python test/environment/bench_safety_gate.py
"""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys
import tempfile
import time

from geometry_msgs.msg import PoseStamped
import numpy as np
import rclpy

from enpire_msgs.msg import SafetyState

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from gate_station import FakeCommander, FakeDriver  # noqa: E402

from enpire_nodes.ros import convert, qos  # noqa: E402
from enpire_nodes.ros.main import make_executor  # noqa: E402

NAMESPACE = '/station_1'
SECONDS = float(os.environ.get('BENCH_SECONDS', '20'))


class Commander(FakeCommander):
    """A commander that notes when it sends, and engages whenever it is not passing."""

    def __init__(self, **arguments: object) -> None:
        super().__init__(**arguments)
        self.sent: dict[int, float] = {}
        self.mode = 0
        self.create_subscription(SafetyState, 'safety_state', self._on_safety, qos.LATCHED)
        self.create_steady_timer(0.5, self._ensure)

    def _on_safety(self, state: SafetyState) -> None:
        self.mode = state.mode

    def _ensure(self) -> None:
        if self.mode != SafetyState.PASSING and self.wanted:
            self.engage()

    wanted = True

    def _tick(self, observation, stamp) -> None:
        self.sent[convert.nanoseconds(stamp)] = time.monotonic()
        super()._tick(observation, stamp)


def start(module: str, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, *module.split(), '--ros-args', '-r', f'__ns:={NAMESPACE}']
    return subprocess.Popen([*command, *arguments], cwd=ROOT)


def cpu_seconds(pid: int) -> float:
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def spin(executor, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        executor.spin_once(timeout_sec=0.05)


def spin_until(executor, condition, timeout: float = 30.0) -> None:
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError('the station did not come up')
        executor.spin_once(timeout_sec=0.05)


def quantiles(seconds: list[float]) -> str:
    values = 1e3 * np.array(seconds)
    return f'p50 {np.median(values):.2f} ms, p99 {np.quantile(values, 0.99):.2f} ms'


def realtime(gate_pid: int) -> None:
    """30 Hz commands for one arm, 100 Hz states of two arms."""
    driver, commander = make_node(FakeDriver), make_node(Commander)
    executor = make_executor()
    for node in (driver, commander):
        executor.add_node(node)
    direct: list[float] = []
    publisher = driver.create_publisher(PoseStamped, 'direct', qos.COMMANDS)
    driver.create_subscription(
        PoseStamped,
        'direct',
        lambda message: direct.append(time.monotonic() - message.pose.position.x),
        qos.COMMANDS,
    )

    def publish_direct() -> None:
        message = PoseStamped()
        message.pose.position.x = time.monotonic()
        publisher.publish(message)

    driver.create_steady_timer(1.0 / 30.0, publish_direct)
    spin_until(executor, lambda: commander.mode == SafetyState.PASSING)
    spin(executor, 1.0)
    driver.received.clear()
    direct.clear()
    used, wall = cpu_seconds(gate_pid), time.monotonic()
    spin(executor, SECONDS)
    share = (cpu_seconds(gate_pid) - used) / (time.monotonic() - wall)
    through = [
        got.arrival - commander.sent[got.stamp]
        for got in driver.targets('right')
        if got.stamp in commander.sent
    ]
    print(f'realtime: {len(through)} commands through the gate: {quantiles(through)}')
    print(f'          one hop without it:       {quantiles(direct)}')
    print(f'          gate: {100 * share:.1f} % of a core')
    for node in (driver, commander):
        executor.remove_node(node)
        node.destroy_node()


def lockstep(gate_pid: int, *, leased: bool) -> None:
    """As fast as it goes."""
    driver = make_node(FakeDriver, pace='lockstep')
    commander = make_node(Commander, pace='lockstep')
    commander.wanted = leased
    executor = make_executor()
    for node in (driver, commander):
        executor.add_node(node)
    wanted = SafetyState.PASSING if leased else SafetyState.HOLDING
    spin_until(executor, lambda: driver.ticks > 10 and commander.mode == wanted)
    ticks, wall = driver.ticks, time.monotonic()
    used = cpu_seconds(gate_pid)
    spin(executor, SECONDS / 2)
    elapsed = time.monotonic() - wall
    rate = (driver.ticks - ticks) / elapsed
    cost = 1e3 * (cpu_seconds(gate_pid) - used) / (driver.ticks - ticks)
    name = 'with a commander' if leased else 'without a lease'
    print(
        f'lockstep {name}: {rate:.0f} ticks/s ({rate / 30:.1f} x), gate {cost:.2f} ms CPU a tick'
    )
    for node in (driver, commander):
        executor.remove_node(node)
        node.destroy_node()


def make_node(kind: type, **parameters: object) -> object:
    overrides = [rclpy.Parameter(name, value=value) for name, value in parameters.items()]
    return kind(namespace=NAMESPACE, parameter_overrides=overrides)


def main() -> None:
    rclpy.init()
    limits = ROOT / 'config' / 'safety' / 'yam.yaml'
    with tempfile.TemporaryDirectory() as directory:
        for pace, measure in (
            ('realtime', realtime),
            ('lockstep', lambda pid: lockstep(pid, leased=False)),
            ('lockstep', lambda pid: lockstep(pid, leased=True)),
        ):
            gate = start(
                '-m enpire_nodes.environment.safety_gate',
                *('-p', f'limits_file:={limits}', '-p', f'run_directory:={directory}'),
                *('-p', f'pace:={pace}', '--log-level', os.environ.get('BENCH_LOG', 'error')),
            )
            try:
                measure(gate.pid)
            finally:
                gate.kill()
                gate.wait(timeout=10.0)
    rclpy.shutdown()


if __name__ == '__main__':
    main()
