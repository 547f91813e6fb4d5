"""Limits, arms and gates to test with; the clock is turned by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from enpire_nodes.common.types import ArmCommand, ArmState
from enpire_nodes.environment.safety.arm import CommandRequest
from enpire_nodes.environment.safety.gate import SafetyGate, Timing
from enpire_nodes.environment.safety.latch import EstopLatch
from enpire_nodes.environment.safety.lease import LeaseRequest
from enpire_nodes.environment.safety.limits import (
    ArmLimits,
    GripperLimits,
    Limits,
    MotionLimits,
    WrenchLimits,
)
from enpire_nodes.environment.safety.lockstep import LockstepGate
from enpire_nodes.environment.safety.streaming import StreamingGate

HOME = np.array([0.3, -0.3, 0.1])
DOWN = np.array([1.0, 0.0, 0.0, 0.0])
COMMANDER = '/station_1/policy_executor'
DRIVER = '/station_1/driver'


def make_state(stamp: float = 0.0, **changes) -> ArmState:
    """Return an arm at rest at ``HOME``, tool down, touching nothing."""
    state = ArmState(stamp, HOME, DOWN, np.zeros(3), np.zeros(3), 0.06, 0.0)
    return replace(state, **changes)


def make_command(position=HOME, **changes) -> ArmCommand:
    return replace(ArmCommand(np.asarray(position, dtype=float), DOWN, 0.06, 20.0), **changes)


class Station:
    """A gate with its surroundings: a clock, a driver and a commander, advanced by hand."""

    def __init__(self, gate_type: type[SafetyGate], limits: Limits, directory) -> None:
        self.now, self.stamp, self.limits, self.directory = 100.0, 0.0, limits, directory
        self.lease_number = 0
        self.states = {arm: make_state() for arm in limits.arms}
        self.gate_type = gate_type
        self.restart_gate()

    def restart_gate(self) -> None:
        self.gate = self.gate_type(
            self.limits,
            Timing(driver=DRIVER),
            latch=EstopLatch(self.directory),
            clock=lambda: self.now,
        )

    def beat(self, *, commander: bool = True, driver: bool = True, incarnation: int = 1) -> list:
        targets = []
        if driver:
            targets += self.gate.heartbeat(DRIVER, incarnation)
        if commander:
            targets += self.gate.heartbeat(COMMANDER, incarnation)
        return targets

    def sense(self, *, after: float = 0.01, arms=None, **changes) -> list:
        """Let time pass, then report every arm; ``changes`` concern the right arm."""
        self.now += after
        self.stamp += after
        self.states['right'] = replace(self.states['right'], **changes)
        self.states = {arm: replace(state, stamp=self.stamp) for arm, state in self.states.items()}
        return self.gate.observe(self.states)

    def engage(self, *, arms=('right',), holder=COMMANDER) -> list:
        self.lease_number += 1
        return self.gate.request_lease(LeaseRequest(holder, self.lease_number, True, arms))

    def release(self, *, holder=COMMANDER) -> list:
        return self.gate.request_lease(LeaseRequest(holder, self.lease_number, False))

    def send(self, position=HOME, *, arm='right', stamp=None, frame='world', **changes) -> list:
        return self.gate.command(
            CommandRequest(
                arm,
                self.stamp if stamp is None else stamp,
                frame,
                make_command(position, **changes),
            )
        )

    def start(self, **lease) -> None:
        """Bring the station to the point where commands pass."""
        self.beat()
        self.sense()
        self.engage(**lease)

    @property
    def mode(self) -> str:
        return self.gate.status.mode.name

    @property
    def code(self) -> str:
        return self.gate.status.error_code.name


@pytest.fixture
def limits() -> Limits:
    box = ArmLimits(np.array([0.1, -0.5, 0.0]), np.array([0.5, -0.1, 0.4]), tilt=1.0)
    return Limits(
        frame='world',
        arms={'left': box, 'right': box},
        motion=MotionLimits(
            workspace_margin=0.02,
            lead=0.06,
            lead_angle=0.6,
            step=0.03,
            step_angle=0.3,
            speed=0.3,
            angular_speed=3.0,
            refused_jump=0.15,
            refused_turn=1.2,
            measured_speed=1.0,
            measured_angular_speed=9.0,
        ),
        wrench=WrenchLimits(soft_force=30.0, hard_force=60.0, soft_torque=3.0, hard_torque=8.0),
        gripper=GripperLimits(
            minimum_width=0.0, maximum_width=0.09, maximum_effort=40.0, hold_effort=15.0
        ),
        digest='0' * 64,
    )


@pytest.fixture
def streaming(limits, tmp_path) -> Station:
    return Station(StreamingGate, limits, tmp_path)


@pytest.fixture
def lockstep(limits, tmp_path) -> Station:
    return Station(LockstepGate, limits, tmp_path)
