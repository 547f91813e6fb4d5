"""A simulated station with the pin task, and a way to run its programs on it."""

from __future__ import annotations

from pathlib import Path

from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.simulation.noise import NoiseSettings
from enpire_nodes.simulation.settings import load_station
from enpire_nodes.tasks.pin_insertion.task import PinInsertion

STATION = Path(__file__).parents[1] / 'config' / 'stations' / 'simulated.yaml'

HONEST = NoiseSettings(
    pose_sd=1e-4,
    force_sd=0.15,
    torque_sd=0.01,
    wrench_bias_sd=0.5,
    pixel_sd=4.0,
    camera_position_sd=0.001,
    camera_angle_sd=0.004,
    light_variation=0.35,
)


class Bench:
    """A simulated station, its calibrated cameras, and the task."""

    def __init__(self, *, placement='', seed=0, noise=HONEST, render=True):
        from enpire_nodes.drivers.simulated.station import SimulatedStation

        mapping = load_station(STATION)
        self.task = PinInsertion()
        self.cameras = cameras_from_settings(mapping['cameras'])
        self.station = SimulatedStation(
            self.task, mapping, seed=seed, noise=noise, placement=placement, render=render
        )

    def run(self, program, *, watch=None, limit=150.0):
        """Run a program to its end; ``watch`` gets every observation."""
        assert next(program) is None
        observation = self.station.observe()
        end = self.station.now + limit
        try:
            while self.station.now < end:
                observation = self.station.step(program.send(observation))
                if watch is not None:
                    watch(observation)
        except StopIteration as stop:
            return stop.value
        raise AssertionError(f'the program took longer than {limit} s')

    def wait(self, seconds: float):
        """Let time pass with nothing commanded."""
        observation = self.station.observe()
        for _ in range(round(30 * seconds)):
            observation = self.station.step({})
        return observation

    def images(self):
        """Return fresh pictures by camera."""
        return {name: frame.image for name, frame in self.wait(0.15).frames.items()}

    @property
    def truth(self) -> dict:
        return self.station.truth()['scene']
