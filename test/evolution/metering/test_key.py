"""The key comes from one place and shows itself nowhere."""

from __future__ import annotations

import os
import pickle
import traceback

from hypothesis import given, settings
from hypothesis import strategies as st
from model_double import SECRET
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.metering.key import ModelKey, Redactor


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'key'
    path.write_text(SECRET + '\n')
    path.chmod(0o600)
    return path


def test_the_variable_goes_before_the_file(file):
    from_variable = ModelKey.load('SOME_KEY', file, {'SOME_KEY': ' sk-other-key-1 '})
    from_file = ModelKey.load('SOME_KEY', file, {})

    assert from_variable.reveal() == 'sk-other-key-1'
    assert from_file.reveal() == SECRET
    assert ModelKey.load('', None, {}) is None


def test_it_is_not_shown(file):
    key = ModelKey.load('', file, {})

    assert SECRET not in f'{key} {key!r} {key.source}'
    with pytest.raises(TypeError):
        pickle.dumps(key)


@pytest.mark.parametrize('mode', [0o640, 0o604, 0o644])
def test_a_file_that_others_may_read_is_refused(file, mode):
    file.chmod(mode)

    with pytest.raises(StationError, match='chmod 600') as caught:
        ModelKey.load('', file, {})
    assert caught.value.code == ErrorCode.SUPERVISOR_KEY_MISSING


def test_what_is_no_key_is_refused_without_being_shown(tmp_path, file):
    file.write_text('two words-that-are-secret')
    os.mkfifo(tmp_path / 'pipe', 0o600)

    for path in (file, tmp_path, tmp_path / 'none', tmp_path / 'pipe'):
        with pytest.raises(StationError) as caught:
            ModelKey.load('', path, {})
        assert caught.value.code == ErrorCode.SUPERVISOR_KEY_MISSING
        assert 'words-that' not in ''.join(traceback.format_exception(caught.value))
    with pytest.raises(StationError, match='SOME_KEY is not set'):
        ModelKey.load('SOME_KEY', None, {'SOME_KEY': ''})


@settings(deadline=None)
@given(
    parts=st.lists(st.sampled_from([SECRET, SECRET[:5], SECRET[5:], 's', 'sk-test', ' words ']))
)
def test_no_cut_lets_the_key_through(parts):
    redactor = Redactor(ModelKey(SECRET))

    passed = b''.join(redactor.feed(part.encode()) for part in parts) + redactor.end()

    assert passed == ''.join(parts).replace(SECRET, '*' * len(SECRET)).encode()


def test_a_key_in_parts():
    redactor = Redactor(ModelKey(SECRET))

    assert redactor.feed(b'before ' + SECRET[:3].encode()) == b'before '
    assert redactor.feed(SECRET[3:].encode() + b' after') == b'*' * len(SECRET) + b' after'


def test_without_a_key_all_passes():
    redactor = Redactor(None)

    assert redactor.feed(b'words') + redactor.end() == b'words'
    assert redactor.text('words') == 'words'
    assert not redactor.shows('words')
