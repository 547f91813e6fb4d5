"""One reset of a task on a simulated station."""

from pin_bench import STATION
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.drivers.simulated.resets import try_reset
from enpire_nodes.simulation.rendering import rendering_enabled
from enpire_nodes.simulation.settings import load_station
from enpire_nodes.tasks.api import ResetFailedError
from enpire_nodes.tasks.pin_insertion.task import PinInsertion

MAPPING = load_station(STATION)


@pytest.fixture(autouse=True)
def drawing():
    if not rendering_enabled():
        pytest.skip('nothing can draw here')


def test_a_reset_that_succeeds_says_how_long_it_took():
    tried = try_reset(PinInsertion(), MAPPING, 'hole', 3)
    assert (tried.placement, tried.seed, tried.success, tried.message) == ('hole', 3, True, '')
    assert 1.0 < tried.seconds < 30.0


def test_a_reset_that_fails_says_why():
    tried = try_reset(PinInsertion(), MAPPING, 'missing', 3)
    assert not tried.success
    assert 'RESET_PIN_NOT_FOUND' in tried.message


class Stuck(PinInsertion):
    """A task whose reset fails after a recovery, or never ends."""

    def __init__(self, error=None):
        super().__init__()
        self._error = error

    def reset(self, cameras, *, seed, report=None):
        yield None
        while True:
            if self._error is not None:
                raise self._error
            yield {}


@pytest.mark.parametrize(
    ('error', 'recoveries'),
    [
        (ResetFailedError(ErrorCode.RESET_GRASP_FAILED, 'it slipped', ('lying',)), ('lying',)),
        (StationError(ErrorCode.RESET_INTERNAL, 'it slipped'), ()),
    ],
)
def test_the_recoveries_before_a_failure_are_kept(error, recoveries):
    tried = try_reset(Stuck(error), MAPPING, '', 3)
    assert (tried.success, tried.recoveries) == (False, recoveries)
    assert 'it slipped' in tried.message


def test_a_reset_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr('enpire_nodes.drivers.simulated.resets._LIMIT', 0.5)
    tried = try_reset(Stuck(), MAPPING, '', 3)
    assert (tried.success, tried.seconds) == (False, 0.5)
    assert 'not done' in tried.message
