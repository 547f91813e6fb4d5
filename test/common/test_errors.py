"""Errors carry their code and remedy, each in the block of its node."""

import pickle

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.tasks.api import ResetFailedError


def test_an_error_says_its_code_and_its_remedy():
    error = StationError(ErrorCode.RESET_PIN_NOT_FOUND, 'look for the pin on the floor')
    assert str(error) == '[200 RESET_PIN_NOT_FOUND] look for the pin on the floor'


def test_no_code_below_one_hundred_but_unset_and_none():
    assert [code for code in ErrorCode if code < 100] == [ErrorCode.UNSET, ErrorCode.NONE]


def test_codes_are_in_the_block_of_their_node():
    blocks = {
        'GATE': 1,
        'RESET': 2,
        'POLICY': 3,
        'REWARD': 4,
        'RECORDER': 5,
        'RUNNER': 6,
        'SUPERVISOR': 7,
        'HUB': 8,
        'ENVIRONMENT': 9,
        'IMPROVEMENT': 10,
    }
    for code in ErrorCode:
        if code >= 100:
            assert code // 100 == blocks[code.name.split('_')[0]], code


def test_an_error_survives_the_way_from_one_process_to_another():
    error = ResetFailedError(ErrorCode.RESET_GRASP_FAILED, 'it slipped', ('lying',))
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is ResetFailedError
    assert (arrived.code, arrived.message) == (error.code, error.message)
    assert arrived.recoveries == ('lying',)
