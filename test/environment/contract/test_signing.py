"""Keys: made once, kept private, and trusted by the store alone."""

import os
import stat

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.keys import write_new
from enpire_nodes.environment.contract import signing
from enpire_nodes.environment.contract.signing import (
    fingerprint,
    sign,
    Signature,
    signing_key,
    verify,
)


def refused(code: ErrorCode, words: str):
    return pytest.raises(StationError, match=f'{code.value} {code.name}.*{words}')


def test_the_first_use_makes_a_private_key_and_trusts_it(tmp_path):
    previous = os.umask(0)  # the worst that a person's shell may have set
    try:
        key = signing_key(tmp_path / 'keys')
    finally:
        os.umask(previous)
    file = tmp_path / 'keys' / 'environment.key'
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / 'keys').stat().st_mode) == 0o700
    verify(b'text', sign(b'text', key), tmp_path / 'keys')
    again = signing_key(tmp_path / 'keys')
    assert fingerprint(again.public_key()) == fingerprint(key.public_key())


def test_an_interruption_leaves_no_key_that_nobody_trusts(tmp_path, monkeypatch):
    def interrupt(path, content, **options):
        if path.name == 'environment.key':
            raise KeyboardInterrupt
        return write_new(path, content, **options)

    monkeypatch.setattr(signing, 'write_new', interrupt)
    with pytest.raises(KeyboardInterrupt):
        signing_key(tmp_path)
    monkeypatch.undo()
    verify(b'content', sign(b'content', signing_key(tmp_path)), tmp_path)


@pytest.mark.parametrize('mode', [0o640, 0o604, 0o620])
def test_a_private_key_that_others_can_reach_is_refused(tmp_path, mode):
    signing_key(tmp_path)
    (tmp_path / 'environment.key').chmod(mode)
    with refused(ErrorCode.ENVIRONMENT_KEY_UNUSABLE, 'read by others'):
        signing_key(tmp_path)


def test_a_private_key_that_is_a_link_or_no_key_is_refused(tmp_path):
    signing_key(tmp_path)
    key = tmp_path / 'environment.key'
    key.rename(tmp_path / 'elsewhere')
    key.symlink_to(tmp_path / 'elsewhere')
    with refused(ErrorCode.ENVIRONMENT_KEY_UNUSABLE, ''):
        signing_key(tmp_path)
    key.unlink()
    key.write_text('nonsense')
    key.chmod(0o600)
    with refused(ErrorCode.ENVIRONMENT_KEY_UNUSABLE, 'cannot be used'):
        signing_key(tmp_path)


def test_another_text_another_key_and_a_bent_signature_are_refused(tmp_path):
    key = signing_key(tmp_path)
    good = sign(b'text', key)
    stranger = sign(b'text', Ed25519PrivateKey.generate())
    bent = Signature(good.fingerprint, stranger.value)
    for content, signature, words in (
        (b'texT', good, 'does not fit'),
        (b'text', bent, 'does not fit'),
        (b'text', Signature(good.fingerprint, 'no hex'), 'does not fit'),
        (b'text', stranger, 'not trusted here'),
        (b'text', Signature('../../etc/passwd', good.value), 'names no key'),
    ):
        with refused(ErrorCode.ENVIRONMENT_SIGNATURE_BAD, words):
            verify(content, signature, tmp_path)


def test_a_key_under_the_name_of_a_trusted_one_is_refused(tmp_path):
    key = signing_key(tmp_path / 'mine')
    other = signing_key(tmp_path / 'other')
    trusted = tmp_path / 'mine' / 'trusted' / f'{fingerprint(key.public_key())}.pem'
    foreign = tmp_path / 'other' / 'trusted' / f'{fingerprint(other.public_key())}.pem'
    trusted.write_bytes(foreign.read_bytes())
    with refused(ErrorCode.ENVIRONMENT_KEY_UNUSABLE, 'another key than its name'):
        verify(b'text', sign(b'text', key), tmp_path / 'mine')


@pytest.mark.parametrize('place', ['.', 'trusted'])
def test_a_trust_store_that_others_can_write_is_refused(tmp_path, place):
    key = signing_key(tmp_path / 'keys')
    (tmp_path / 'keys' / place).chmod(0o777)
    with refused(ErrorCode.ENVIRONMENT_KEY_UNUSABLE, 'can be changed by others'):
        verify(b'text', sign(b'text', key), tmp_path / 'keys')
