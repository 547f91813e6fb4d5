"""Every noise and every fault is a parameter with a range."""

from __future__ import annotations

from dataclasses import fields

from enpire_nodes.common.files import config_file
from enpire_nodes.drivers.simulated.parameters import (
    camera_fault_parameters,
    DRIVER,
    NOISE,
    noise_parameters,
)
from enpire_nodes.simulation.noise import NoiseSettings
from enpire_nodes.simulation.settings import load_station


def test_every_noise_is_a_parameter_and_its_extremes_are_valid():
    assert set(NOISE) == {entry.name for entry in fields(NoiseSettings)}
    specs = noise_parameters(NoiseSettings(drift_sd=0.003))
    for bound in ('minimum', 'maximum'):
        NoiseSettings(**{spec.name.split('.')[1]: getattr(spec, bound) for spec in specs})
    assert {spec.name: spec.default for spec in specs}['noise.drift_sd'] == 0.003


def test_defaults_of_the_shipped_station_lie_within_the_ranges():
    noise = NoiseSettings(**load_station(config_file('stations/simulated.yaml'))['noise'])
    for spec in noise_parameters(noise):
        assert spec.minimum <= spec.default <= spec.maximum, spec.name


def test_every_parameter_says_what_it_is():
    specs = [*DRIVER, *noise_parameters(NoiseSettings()), *camera_fault_parameters(['side'])]
    assert all(len(spec.description) > 15 for spec in specs)
    numbers = [spec for spec in specs if isinstance(spec.default, int | float)]
    assert all(spec.maximum is not None for spec in numbers if type(spec.default) is not bool)


def test_faults_can_change_at_run_time_and_the_scene_cannot():
    changeable = {spec.name for spec in DRIVER if not spec.read_only}
    assert changeable == {'jpeg_quality', 'faults.slippery'}
    assert not camera_fault_parameters(['side'])[0].read_only
