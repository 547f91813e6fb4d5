"""Ed25519 keys: who may freeze an environment, and whose signature a station believes.

::

    $ENPIRE_KEYS, or ~/.config/enpire     0700
      environment.key                     0600, the private key of whoever freezes here (PKCS 8)
      trusted/<fingerprint>.pem           public keys that a station on this machine believes

A manifest names the fingerprint of its key alone: a key counts because it is in the store, never
because it came along with what it has signed.
"""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
import os
from pathlib import Path
import re
import stat

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.keys import keys_directory, write_new

_FINGERPRINT = re.compile(r'[0-9a-f]{64}')
_GROUP_AND_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITABLE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, and what came of it; ``value`` is 64 bytes in hexadecimal."""

    fingerprint: str
    value: str


def fingerprint(key: Ed25519PublicKey) -> str:
    """Return the sha256 of a public key, by which people and manifests name it."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()


def signing_key(directory: Path | None = None) -> Ed25519PrivateKey:
    """Return the private key; make it, and trust it on this machine, at its first use.

    :raises StationError: ENVIRONMENT_KEY_UNUSABLE, others can read it, or it is no key.
    """
    directory = keys_directory() if directory is None else directory
    path = directory / 'environment.key'
    try:
        if not path.exists():
            _make(directory, path)
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode) or mode & _GROUP_AND_OTHERS:
            raise _unusable(
                f'{path} can be read by others (mode {stat.S_IMODE(mode):04o}): whoever could '
                f'read it can sign. Remove it and {directory / "trusted"}, and freeze anew'
            )
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise _unusable(f'the private key {path} cannot be used: {error}') from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unusable(f'{path} is no Ed25519 key; remove it, and freeze anew to get one')
    return key


def sign(content: bytes, key: Ed25519PrivateKey) -> Signature:
    """Sign."""
    return Signature(fingerprint(key.public_key()), key.sign(content).hex())


def verify(content: bytes, signature: Signature, directory: Path | None = None) -> None:
    """Check a signature against the trust store of this machine.

    :raises StationError: ENVIRONMENT_SIGNATURE_BAD, the key is not trusted here or did not sign
        this; ENVIRONMENT_KEY_UNUSABLE, others could have written the trust store.
    """
    directory = keys_directory() if directory is None else directory
    if not _FINGERPRINT.fullmatch(signature.fingerprint):
        raise _bad('the signature names no key; freeze again')
    path = directory / 'trusted' / f'{signature.fingerprint}.pem'
    try:
        _refuse_foreign_writers(directory, path.parent, path)
        key = serialization.load_pem_public_key(path.read_bytes())
    except FileNotFoundError as error:
        raise _bad(
            f'it was signed with the key {signature.fingerprint[:12]}, which is not trusted here: '
            f'there is no {path}. If a person whom you trust froze it, copy that file from them'
        ) from error
    except (OSError, ValueError) as error:
        raise _unusable(f'the public key {path} cannot be used: {error}') from error
    if not isinstance(key, Ed25519PublicKey) or fingerprint(key) != signature.fingerprint:
        raise _unusable(f'{path} holds another key than its name says; copy it again')
    try:
        key.verify(bytes.fromhex(signature.value), content)
    except (InvalidSignature, ValueError) as error:
        raise _bad(
            'its signature does not fit its content: it was changed after it was frozen. Restore '
            'it, or freeze again'
        ) from error


def _make(directory: Path, path: Path) -> None:
    trusted = directory / 'trusted'
    for folder in (directory, trusted):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    # the public key first: a private one without it could sign, and nobody would believe it
    write_new(trusted / f'{fingerprint(key.public_key())}.pem', public, mode=0o644)
    write_new(path, private)


def _refuse_foreign_writers(*paths: Path) -> None:
    for path in paths:
        status = path.stat()
        if status.st_mode & _WRITABLE or status.st_uid not in (0, os.geteuid()):
            raise _unusable(
                f'{path} can be changed by others: they could have put a key of their own there. '
                f'Look at what is in it, then: chmod go-w {path}'
            )


def _bad(reason: str) -> StationError:
    return StationError(ErrorCode.ENVIRONMENT_SIGNATURE_BAD, reason)


def _unusable(reason: str) -> StationError:
    return StationError(ErrorCode.ENVIRONMENT_KEY_UNUSABLE, reason)
