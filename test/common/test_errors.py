"""Errors carry their code and remedy, each in the block of its node."""

from enpire_nodes.common.errors import ErrorCode, StationError


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
    }
    for code in ErrorCode:
        if code >= 100:
            assert code // 100 == blocks[code.name.split('_')[0]], code
