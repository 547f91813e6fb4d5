"""Which trials are drawn: the wanted share, always the same ones, and nobody can tell which."""

from __future__ import annotations

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.auditing.sample import audit_key, KEY_FILE, Sampler
from enpire_nodes.rollout.statistics import lower_bound, upper_bound

TRIALS = [f'station_1-20260101-{number:06d}-abc' for number in range(4000)]


def drawn(key: bytes, share: float = 0.1) -> set[str]:
    sampler = Sampler(key, share)
    return {trial for trial in TRIALS if sampler.draws(trial)}


def test_the_share_is_drawn_and_always_the_same():
    count = len(drawn(b'key'))
    assert lower_bound(count, len(TRIALS), confidence=0.999) < 0.1
    assert upper_bound(count, len(TRIALS), confidence=0.999) > 0.1
    assert drawn(b'key') == drawn(b'key')


def test_without_the_key_nobody_can_tell_which():
    mine, guessed = drawn(b'key', 0.5), drawn(b'', 0.5)
    agree = sum((trial in mine) == (trial in guessed) for trial in TRIALS)
    assert 0.46 < agree / len(TRIALS) < 0.54


def test_all_or_nothing_can_be_drawn():
    assert drawn(b'key', 1.0) == set(TRIALS)
    assert drawn(b'key', 0.0) == set()
    with pytest.raises(ValueError, match='between 0 and 1'):
        Sampler(b'key', 1.5)


def test_the_key_is_made_once_and_only_its_user_may_read_it(tmp_path, monkeypatch):
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    key = audit_key()
    assert len(key) == 32
    assert audit_key() == key
    assert (tmp_path / 'keys' / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert audit_key(tmp_path / 'others') != key
    assert [path.name for path in (tmp_path / 'keys').iterdir()] == [KEY_FILE]


@pytest.mark.parametrize(('mode', 'content'), [(0o644, b'k' * 32), (0o600, b'short')])
def test_a_key_that_others_may_read_or_that_is_none_is_refused(tmp_path, mode, content):
    path = tmp_path / KEY_FILE
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(StationError) as caught:
        audit_key(tmp_path)
    assert caught.value.code is ErrorCode.ENVIRONMENT_KEY_UNUSABLE
    assert KEY_FILE in caught.value.message


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(StationError, match='file/keys'):
        audit_key(tmp_path / 'file' / 'keys')
