"""Ideas that change numbers: constants of the search, settings of the recipe and of training."""

from __future__ import annotations

from enpire_nodes.evolution.researcher.edits import Constant, Edit, Replace, Setting
from enpire_nodes.evolution.researcher.idea import Template, Values

SEARCH = 'algorithms/search.py'


def _speed(values: Values) -> list[Edit]:
    return [Constant(SEARCH, '_SPEED', values['speed'])]


def _descent(values: Values) -> list[Edit]:
    return [Constant(SEARCH, '_DOWN', values['speed'])]


def _pitch(values: Values) -> list[Edit]:
    return [Constant(SEARCH, '_PITCH', values['pitch'] / 1e3)]


SETTINGS = (
    Template(
        'slow-down', 'motion',
        'At {speed:g} m/s fewer pins miss the hole, because the arm lags less behind its target',
        (_speed, _descent), {'speed': (0.01, 0.015, 0.02)},
    ),
    Template(
        'speed-up', 'motion',
        'At {speed:g} m/s more time is left to push, so fewer attempts run out of time',
        (_speed, _descent), {'speed': (0.045, 0.06)},
    ),
    Template(
        'push-lead', 'force',
        'With {lead:g} mm of push, pins that catch on the rim are forced in or slip off it',
        (lambda v: [Constant(SEARCH, '_LEAD', v['lead'] / 1e3)],),
        {'lead': (3.0, 4.5, 11.0, 15.0)},
    ),
    Template(
        'aim-deeper', 'finish',
        'Aiming {deep:g} mm above the rim with the hand seats pins that stop halfway',
        (lambda v: [Constant(SEARCH, '_DEEP', v['deep'] / 1e3)],), {'deep': (9.0, 12.0, 18.0)},
    ),
    Template(
        'search-pitch', 'contact',
        'A spiral that grows {pitch:g} mm a turn passes no hole by',
        (_pitch,), {'pitch': (1.5, 2.0, 3.0)},
    ),
    Template(
        'finish-depth', 'finish',
        'Calling it done {depth:g} mm below the rim lets fewer pins go before they hold',
        (lambda v: [Setting('action.finish_depth', v['depth'] / 1e3)],),
        {'depth': (22.0, 24.0, 29.0)},
    ),
    Template(
        'time-limit', 'finish',
        'Attempts that fail run out of time: {limit:g} s instead let more of them end well',
        (lambda v: [Setting('action.time_limit', v['limit'])],), {'limit': (6.0, 10.0, 12.0)},
    ),
    Template(
        'finish-hold', 'finish',
        'Waiting {periods:g} periods at depth before letting go keeps pins from springing out',
        (
            lambda v: [
                Replace(
                    'action.py', 'self._periods >= 8', f'self._periods >= {v["periods"]:g}'
                )
            ],
        ),
        {'periods': (3.0, 16.0, 24.0)},
    ),
)  # fmt: skip


def _clone(values: Values) -> list[Edit]:
    return [Setting('algorithm', 'bc'), Setting('training.bc_updates', int(values['updates']))]


def _learn(values: Values) -> list[Edit]:
    return [
        Setting('algorithm', 'rlpd'),
        Setting('training.updates_per_action', values['updates']),
        Setting('training.bc_updates', 0),
    ]


#: They need demonstrations in the workspace's replay.
TRAINING = (
    Template(
        'clone', 'training',
        'A clone of the demonstrations ({updates:g} updates) does what no rule here does',
        (_clone,), {'updates': (1500.0, 3000.0, 6000.0)}, trains=True,
    ),
    Template(
        'clone-few-inputs', 'training',
        'A clone ({updates:g} updates) that is not told of touch and retries generalizes better',
        (
            lambda v: [
                *_clone(v), Setting('observation.touch', False),
                Setting('observation.retries', False),
            ],
        ),
        {'updates': (1500.0, 3000.0)}, trains=True,
    ),
    Template(
        'rlpd', 'training',
        'Offline RLPD at {updates:g} updates an action finds values that cloning does not see',
        (_learn,), {'updates': (2.0, 4.0)}, trains=True,
    ),
)  # fmt: skip
