"""The signed manifest: one JSON file that says what an environment was when it was frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
import hashlib
import json
from pathlib import Path
from typing import Any

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract import signing
from enpire_nodes.environment.contract.signing import Signature

SCHEMA = 'enpire/environment-manifest/1'


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was frozen.

    :param task: name of the task.
    :param files: sha256 by name; see :mod:`~enpire_nodes.environment.contract.files`.
    :param libraries: version and sha256 of what the judge stands on, by module.
    :param digests: what the nodes tell of themselves: ``code``, ``settings``, ``verifier``,
        ``limits``; sha256 each.
    :param parameters: values by node, as ``ros2 param get`` shows them.
    :param acceptance: sha256 of the acceptance report that allowed it.
    :param frozen_at: UTC, ISO 8601.
    :param frozen_by: user and machine.
    :param schema: of this file.
    """

    task: str
    files: Mapping[str, str]
    libraries: Mapping[str, str]
    digests: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, Any]]
    acceptance: str
    frozen_at: str
    frozen_by: str
    schema: str = SCHEMA

    def content(self) -> bytes:
        """Return what is signed: the same bytes wherever it is written."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(',', ':'), allow_nan=False)
        return text.encode()

    @property
    def digest(self) -> str:
        """The sha256 over everything above, which every trial carries."""
        return hashlib.sha256(self.content()).hexdigest()


def manifest_text(manifest: Manifest, signature: Signature) -> str:
    """Return the file of a signed manifest."""
    data = {'manifest': asdict(manifest), 'signature': asdict(signature)}
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + '\n'


def load_manifest(path: Path, *, keys: Path | None = None) -> Manifest:
    """Read a manifest, and believe it only by a trusted key.

    :param keys: directory of keys; None takes that of this machine.
    :raises StationError: ENVIRONMENT_MANIFEST_INVALID, there is none or it cannot be read;
        ENVIRONMENT_SIGNATURE_BAD, it is not as it was signed, or by a key not trusted here.
    """
    try:
        text = Path(path).read_text(encoding='utf-8')
        data = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except OSError as error:
        raise _invalid(path, f'cannot be read ({error.strerror})') from error
    except (ValueError, RecursionError) as error:
        raise _invalid(path, f'is no JSON: {error}') from error
    outer = _exactly(path, data, {'manifest', 'signature'}, 'the file')
    content = _exactly(path, outer['manifest'], {f.name for f in fields(Manifest)}, 'manifest')
    if content['schema'] != SCHEMA:
        raise _invalid(path, f'has the schema {content["schema"]!r}; this version reads {SCHEMA}')
    given = _exactly(path, outer['signature'], {f.name for f in fields(Signature)}, 'signature')
    signature = Signature(**{name: str(value) for name, value in given.items()})
    manifest = Manifest(**content)
    try:
        signing.verify(manifest.content(), signature, keys)
    except StationError as error:
        raise StationError(error.code, f'{path}: {error.message}') from error
    # only what a trusted key has signed is worth a closer look
    for name in ('files', 'libraries', 'digests', 'parameters'):
        if not isinstance(content[name], dict):
            raise _invalid(path, f'manifest.{name} must be a mapping')
    return manifest


def _exactly(path: Path, data: Any, keys: set[str], what: str) -> dict[str, Any]:
    if not isinstance(data, dict) or set(data) != keys:
        raise _invalid(path, f'{what} must have exactly the keys {", ".join(sorted(keys))}')
    return data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError('a key is given twice')
    return found


def _no_number(name: str) -> None:
    raise ValueError(f'{name} is no number')


def _invalid(path: Path, reason: str) -> StationError:
    return StationError(
        ErrorCode.ENVIRONMENT_MANIFEST_INVALID,
        f'the manifest {path} {reason}; name the file that `enpire freeze` wrote',
    )
