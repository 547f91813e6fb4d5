"""Freezing: from an accepted environment to a signed manifest beside its acceptance report."""

from __future__ import annotations

from datetime import datetime, timezone
import getpass
import hashlib
from pathlib import Path
import socket

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.keys import write_new
from enpire_nodes.common.writing import write_atomically
from enpire_nodes.environment.contract import signing
from enpire_nodes.environment.contract.accepted import require_accepted
from enpire_nodes.environment.contract.check import FileWatch
from enpire_nodes.environment.contract.files import digests
from enpire_nodes.environment.contract.libraries import library_digests
from enpire_nodes.environment.contract.manifest import Manifest, manifest_text
from enpire_nodes.environment.contract.running import process_problems
from enpire_nodes.environment.contract.subject import Subject

MANIFEST, REPORT = 'manifest.json', 'acceptance.json'


def freeze(
    subject: Subject, report: Path | None, output: Path, *, keys: Path | None = None
) -> Manifest:
    """Write ``manifest.json`` and a copy of the report into ``output``.

    :param report: the acceptance report; see :func:`~.accepted.require_accepted`.
    :param output: a folder that holds no manifest yet: each freeze is a campaign of its own.
    :param keys: directory of keys; None takes that of this machine.
    :raises StationError: ENVIRONMENT_NOT_ACCEPTED, without a passing report of these very files;
        ENVIRONMENT_CHANGED, something here is not what it seems; ENVIRONMENT_KEY_UNUSABLE;
        ENVIRONMENT_MANIFEST_INVALID, the folder cannot be written or holds a manifest.
    """
    files = digests(subject.files)
    judged = require_accepted(
        report, task=subject.task, verifier=subject.digests['verifier'], files=files
    )
    listing = subject.files.listing()
    problems = FileWatch(files, subject.files).full() + process_problems(listing)
    if problems:
        raise StationError(
            ErrorCode.ENVIRONMENT_CHANGED, f'this cannot be frozen: {"; ".join(problems)}'
        )
    manifest = Manifest(
        task=subject.task,
        files=files,
        libraries=library_digests(),
        digests=subject.digests,
        parameters=subject.parameters,
        acceptance=hashlib.sha256(judged).hexdigest(),
        frozen_at=datetime.now(timezone.utc).isoformat(timespec='seconds'),
        frozen_by=f'{getpass.getuser()}@{socket.gethostname()}',
    )
    path = output / MANIFEST
    if path.exists():
        raise _taken(path)
    signature = signing.sign(manifest.content(), signing.signing_key(keys))
    try:
        output.mkdir(parents=True, exist_ok=True)
        write_atomically(output / REPORT, judged)
        made = write_new(path, manifest_text(manifest, signature).encode(), mode=0o644)
    except OSError as error:
        raise _unwritable(f'{path} cannot be written ({error.strerror})') from error
    if not made:
        raise _taken(path)
    return manifest


def _taken(path: Path) -> StationError:
    return _unwritable(
        f'{path} exists: a new freeze is a new campaign. Name another folder by --output'
    )


def _unwritable(reason: str) -> StationError:
    return StationError(ErrorCode.ENVIRONMENT_MANIFEST_INVALID, reason)
