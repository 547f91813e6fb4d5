"""Files of arrays: equal content, equal files; and one kind of error for all that is wrong."""

import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.arrays import read_arrays, write_arrays

ARRAYS = {'a/b': np.arange(6.0).reshape(2, 3), 'words': np.array('{}')}


def refusal(path, reason):
    return StationError(ErrorCode.ENVIRONMENT_WEIGHTS_UNUSABLE, f'{path.name}: {reason}')


@pytest.mark.parametrize('compressed', [False, True])
def test_what_is_written_is_read_again_with_its_digest(tmp_path, compressed):
    path = tmp_path / 'new' / 'one.npz'
    digest = write_arrays(path, ARRAYS, compressed=compressed)
    made, found = read_arrays(path, dict, refusal)
    assert found == digest == write_arrays(tmp_path / 'two.npz', ARRAYS, compressed=compressed)
    np.testing.assert_array_equal(made['a/b'], ARRAYS['a/b'])
    assert [entry.name for entry in path.parent.iterdir()] == ['one.npz']


@pytest.mark.parametrize('content', [b'', b'no archive', b'PK\x03\x04 cut short'])
def test_what_is_no_such_file_is_refused(tmp_path, content):
    (tmp_path / 'bad.npz').write_bytes(content)
    with pytest.raises(StationError, match=r'bad\.npz: '):
        read_arrays(tmp_path / 'bad.npz', dict, refusal)


def test_a_missing_file_and_a_missing_array_are_refused(tmp_path):
    with pytest.raises(StationError, match='No such file'):
        read_arrays(tmp_path / 'none.npz', dict, refusal)
    write_arrays(tmp_path / 'one.npz', ARRAYS)
    with pytest.raises(StationError, match=r'KeyError: .*other'):
        read_arrays(tmp_path / 'one.npz', lambda arrays: arrays['other'], refusal)


def test_pickles_are_refused(tmp_path):
    np.savez(tmp_path / 'pickled.npz', a=np.array([{}], dtype=object))
    with pytest.raises(StationError, match='ValueError'):
        read_arrays(tmp_path / 'pickled.npz', dict, refusal)
