"""``enpire teleop``: steer the working arm with the keys, within attempts of ``teleop`` trials.

Ask for trials in another terminal (``enpire run --controller teleop``, with ``--set
base=scripted`` to correct a script); the station resets, then the keys move the hand until enter
ends the attempt. The safety gate, the limits on speed and the recording are those of every other
trial.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

HELP = 'steer the arm with the keys, to demonstrate or to correct'
_PERIOD = 1.0 / 30.0  # s
_SHOWN = 0.2  # s between two looks of the line that shows what is sent


def add_parser(subparsers: Any) -> None:
    """Add the command to the ``enpire`` parser."""
    parser = subparsers.add_parser('teleop', help=HELP, description=__doc__)
    parser.add_argument('--station', default='/station_1', help='namespace (default: /station_1)')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Publish what the keys ask for until the person leaves; return the exit code."""
    from enpire_nodes.cli.keyboard import HELP as KEYS
    from enpire_nodes.cli.keyboard import Keyboard, raw_terminal

    try:
        with raw_terminal(sys.stdin.fileno()) as typed, _Wishes(args.station) as wishes:
            sys.stdout.write(f'{KEYS}\n')
            steered = _steer(Keyboard(), typed, wishes)
    except OSError as error:
        sys.stderr.write(f'enpire teleop: {error}\n')
        return 1
    sys.stdout.write(f'\nyou steered for {steered:.0f} s\n')
    return 0


def _steer(keyboard: Any, typed: Any, wishes: _Wishes) -> float:
    """Publish until the person leaves; return the s in which the hand was asked to move."""
    steered, shown, due = 0.0, 0.0, time.monotonic()
    while not keyboard.quit:
        keyboard.hear(typed(max(0.0, due - time.monotonic())))
        now = time.monotonic()
        if now < due:
            continue
        due = max(due + _PERIOD, now)
        velocity = keyboard.velocity()
        wishes.say(velocity, done=keyboard.done)
        keyboard.done = False
        steered += _PERIOD if velocity.any() else 0.0
        if now - shown > _SHOWN:
            shown = now
            x, y, z = 1e3 * velocity
            heard = 'heard' if wishes.heard else 'NOBODY LISTENS: is the station up?'
            sys.stdout.write(
                f'\r{1e3 * keyboard.speed:5.1f} mm/s   sent {x:+6.1f} {y:+6.1f} {z:+6.1f} mm/s   '
                f'{heard}\x1b[K'
            )
            sys.stdout.flush()
    return steered


class _Wishes:
    """The publishers; a context manager."""

    def __init__(self, namespace: str) -> None:
        from geometry_msgs.msg import Twist
        import rclpy
        from rclpy.context import Context
        from std_msgs.msg import Empty

        from enpire_nodes.ros import qos

        self._context = Context()
        rclpy.init(context=self._context, args=[])
        self._node = rclpy.create_node('operator', namespace=namespace, context=self._context)
        self._twist = self._node.create_publisher(Twist, 'operator/twist', qos.LEASE)
        self._done = self._node.create_publisher(Empty, 'operator/done', qos.LEASE)
        self._twist_type, self._empty_type = Twist, Empty

    @property
    def heard(self) -> bool:
        """Whether an executor listens."""
        return self._twist.get_subscription_count() > 0

    def say(self, velocity: Any, *, done: bool) -> None:
        """Publish a velocity, (3,) m/s in ``world``, and whether the attempt is done."""
        message = self._twist_type()
        message.linear.x, message.linear.y, message.linear.z = map(float, velocity)
        self._twist.publish(message)
        if done:
            self._done.publish(self._empty_type())

    def __enter__(self) -> _Wishes:
        return self

    def __exit__(self, *_: object) -> None:
        import rclpy

        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)
