"""Holding a station to its manifest: at its start, before every trial, and at every verdict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract.check import FileWatch
from enpire_nodes.environment.contract.files import file_digest, FrozenFiles
from enpire_nodes.environment.contract.freeze import REPORT
from enpire_nodes.environment.contract.identity import heard_libraries
from enpire_nodes.environment.contract.libraries import library_problems
from enpire_nodes.environment.contract.manifest import load_manifest, Manifest
from enpire_nodes.environment.contract.running import process_problems
from enpire_nodes.environment.contract.subject import Subject

#: Names of the contract's own files in messages.
_MANIFEST, _REPORT = 'contract/manifest.json', 'contract/acceptance.json'

_WHAT_NOW = (
    'Put back what was frozen and start the station again, or freeze anew and start a new run: '
    'trials from here on would not be comparable'
)


class Guard:
    """Raises ENVIRONMENT_CHANGED, with every difference by name, once anything is not as frozen.

    Made at the start of a station, which reads every file.

    :param path: the manifest; its acceptance report lies beside it.
    :param subject: the environment as this station has it.
    :param full_every: checks of which one reads every file again; the others read those whose
        size, times or place on the disk have changed.
    :param keys: directory of keys; None takes that of this machine.
    :raises StationError: ENVIRONMENT_MANIFEST_INVALID, ENVIRONMENT_SIGNATURE_BAD,
        ENVIRONMENT_KEY_UNUSABLE, ENVIRONMENT_CHANGED.
    """

    def __init__(
        self, path: Path, subject: Subject, *, full_every: int = 20, keys: Path | None = None
    ) -> None:
        path = Path(path).absolute()
        own = {_MANIFEST: path, _REPORT: path.parent / REPORT}
        before = _digest_of(path)
        self.manifest: Manifest = load_manifest(path, keys=keys)
        self.digest = self.manifest.digest
        if self.manifest.task != subject.task:
            raise StationError(
                ErrorCode.ENVIRONMENT_MANIFEST_INVALID,
                f'{path} is of the task {self.manifest.task}, but the station works on '
                f'{subject.task}; name the manifest of that task',
            )
        self._files = FrozenFiles(subject.files.folders, {**subject.files.single, **own})
        self._watch = FileWatch(
            {
                **self.manifest.files,
                _MANIFEST: before,
                _REPORT: self.manifest.acceptance,
            },
            self._files,
        )
        self._full_every, self._checks = full_every, 0
        self._stopped: StationError | None = None
        self.check_start(subject)

    def check_start(self, subject: Subject) -> None:
        """Check everything that one process can see by itself."""
        wrong = self._full()
        wrong += library_problems(self.manifest.libraries)
        if not wrong:
            # with every file in order, this is about which of them the station uses
            wrong += [
                f'the {what} of this station are not those that were frozen'
                for what, digest in self.manifest.digests.items()
                if subject.digests.get(what) != digest
            ]
        for node, values in subject.parameters.items():
            wrong += self._other_parameters(node, values)
        self._stop(wrong)

    def check_files(self) -> None:
        """Check every file; most times only those that were touched."""
        if self._stopped is not None:
            raise self._stopped
        self._checks += 1
        full = self._checks % self._full_every == 0
        self._stop(self._full() if full else self._watch.quick())

    def check_limits(self, digest: str) -> None:
        """Check what the safety gate says of its limits."""
        self._compare('safety_gate', 'limits', digest)

    def check_verdict(self, digest: str) -> None:
        """Check what a verdict says of the judge that gave it."""
        self._compare(JUDGE, 'verifier', digest)

    def check_node(self, node: str, told: Mapping[str, Any]) -> None:
        """Check what a node says of itself.

        :param told: values of its parameters that :meth:`questions` names; empty if it does not
            have all of them.
        """
        names = self.questions(node)
        if not told:
            self._stop(
                [
                    f'{node} does not tell all of {", ".join(names)}: it is not the node that was '
                    'frozen'
                ]
            )
        self._stop(self._other_parameters(node, told))
        for name in names:
            if name in _TOLD:
                self._compare(node, _TOLD[name], str(told.get(name) or ''))
        if _LIBRARIES in names:
            heard = heard_libraries(told.get(_LIBRARIES))
            wrong = library_problems(self.manifest.libraries, heard)
            self._stop([f'in the process of {node}, {words}' for words in wrong])

    def questions(self, node: str) -> tuple[str, ...]:
        """Return the parameters to ask a node for; none if it is not held to any."""
        return (*NODES[node], *sorted(self.manifest.parameters.get(node, {})))

    def _full(self) -> list[str]:
        return self._watch.full() + process_problems(self._files.listing())

    def _other_parameters(self, node: str, values: Mapping[str, Any]) -> list[str]:
        return [
            f'{node} runs with {name} = {values.get(name)!r}, frozen was {value!r}'
            for name, value in self.manifest.parameters.get(node, {}).items()
            if values.get(name) != value
        ]

    def _compare(self, node: str, what: str, digest: str) -> None:
        frozen = self.manifest.digests[what]
        if digest != frozen:
            got = digest if len(digest) != len(frozen) else digest[:12]
            self._stop(
                [
                    f'{node} works with another {_WORDS[what]} than the frozen one '
                    f'({got or "it does not say which"}, frozen was {frozen[:12]}); if its files '
                    'are in order, start it again'
                ]
            )

    def _stop(self, wrong: list[str]) -> None:
        if wrong:
            shown = '; '.join(wrong[:5])
            more = f'; and {len(wrong) - 5} more' * (len(wrong) > 5)
            self._stopped = StationError(
                ErrorCode.ENVIRONMENT_CHANGED,
                f'the environment is not the frozen one: {shown}{more}. {_WHAT_NOW}',
            )
            raise self._stopped


_TOLD = {'code_digest': 'code', 'settings_digest': 'settings'}
_LIBRARIES = 'libraries'
_WORDS = {
    'code': 'code',
    'settings': 'task or camera settings',
    'verifier': 'judge',
    'limits': 'limits file',
}
#: The node that judges, and the one that gives it what it sees.
JUDGE, DRIVER = 'reward_classifier', 'driver'
#: What the nodes of the environment are asked besides their frozen parameters, by node.
NODES: Mapping[str, tuple[str, ...]] = {
    DRIVER: (),
    'safety_gate': ('code_digest', _LIBRARIES),
    'scene_reset': ('code_digest', _LIBRARIES, 'settings_digest'),
    JUDGE: ('code_digest', _LIBRARIES, 'settings_digest'),
}


def _digest_of(path: Path) -> str:
    try:
        return file_digest(path)
    except StationError as error:
        raise StationError(
            ErrorCode.ENVIRONMENT_MANIFEST_INVALID,
            f'the manifest {path} {error.message}; name the file that `enpire freeze` wrote',
        ) from error
