"""A station that is held to a manifest, as the trial protocol sees it; and one that is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import hashlib
from typing import Any, Protocol

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract.guard import DRIVER, Guard, JUDGE, NODES
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.ledger.chain import NOTE
from enpire_nodes.rollout.records import ParameterValue, UNFROZEN, VerdictOutcome, VerdictRecord
from enpire_nodes.rollout.trial.port import Station

#: Key of the ledger's note that says which environment a run began with.
ENVIRONMENT = 'environment'


class Witnesses(Protocol):
    """What the nodes of a station tell of themselves."""

    @property
    def limits_digest(self) -> str:
        """What the safety gate says of its limits; empty before it has spoken."""

    def tell(self, node: str, names: tuple[str, ...]) -> Mapping[str, Any]:
        """Return the values of a node's parameters; nothing when it lacks one of them."""


def unfrozen_digest(task_digest: str, limits_digest: str) -> str:
    """Return what trials are marked with where nothing is frozen: it tells changes apart, too."""
    digest = hashlib.sha256(f'{task_digest}\n{limits_digest}\n'.encode()).hexdigest()
    return f'{UNFROZEN}{digest}'


def require_own_run(ledger: LedgerReader, digest: str) -> None:
    """Refuse a run that belongs to another environment: a new freeze is a new campaign.

    :param digest: of the manifest; empty where nothing is frozen.
    :raises StationError: ENVIRONMENT_CHANGED; says what to do.
    """
    notes = {str(entry.data.get(ENVIRONMENT, '')) for entry in ledger.entries(NOTE)}
    others = {known for known in notes if known and known != digest}
    if digest and not others:
        marks = {trial.environment_digest for trial in ledger.trials()} - {digest}
        others = {mark or 'unfrozen' for mark in marks}
    if others:
        other, here = sorted(others)[0], f'the manifest {digest[:12]}' if digest else 'no manifest'
        raise StationError(
            ErrorCode.ENVIRONMENT_CHANGED,
            f'the run {ledger.run.path} belongs to the environment {other[:21]}, and this station '
            f'has {here}: a new freeze is a new campaign. Name a new run directory (`run:` in the '
            "station's file, or `enpire up --run`), or the manifest that the run began with",
        )


class FrozenStation:
    """Ends a trial or a request once the environment has changed.

    In all else it is ``station``; see :class:`~enpire_nodes.rollout.trial.port.Station`.

    :param station: that works.
    :param guard: of the manifest.
    :param witnesses: what its nodes tell of themselves.
    """

    def __init__(self, station: Station, guard: Guard, witnesses: Witnesses) -> None:
        self._station, self._guard, self._witnesses = station, guard, witnesses

    def __getattr__(self, name: str) -> object:
        return getattr(self._station, name)

    def prepare(self, controller: str, parameters: Mapping[str, ParameterValue]) -> str:
        """Prepare the station; refuse to begin a trial in a changed environment."""
        self._guard.check_files()
        name = self._station.prepare(controller, parameters)
        for node in NODES:
            self._ask(node)
        self._guard.check_limits(self._witnesses.limits_digest)
        return name

    def check(self) -> None:
        """Raise what would keep a trial from going on now."""
        self._station.check()
        # a runner that has just started has not heard the gate; `prepare` waits for it
        if self._witnesses.limits_digest:
            self._guard.check_limits(self._witnesses.limits_digest)

    def judge(
        self, trial_id: str, attempt: int, *, settle_start_ns: int, settled_ns: int
    ) -> VerdictRecord:
        """Judge; a verdict of another judge, or in a changed environment, is none."""
        verdict = self._station.judge(
            trial_id, attempt, settle_start_ns=settle_start_ns, settled_ns=settled_ns
        )
        self._guard.check_files()
        self._guard.check_limits(self._witnesses.limits_digest)
        for node in (DRIVER, JUDGE):
            self._ask(node)
        if verdict.digest or verdict.outcome is not VerdictOutcome.UNCERTAIN:
            # a judge that could not work says nothing of itself
            self._guard.check_verdict(verdict.digest)
        return verdict

    def _ask(self, node: str) -> None:
        names = self._guard.questions(node)
        if names:
            self._guard.check_node(node, self._witnesses.tell(node, names))


class Environment:
    """The environment that a runner's trials are marked with, frozen or not.

    :param guard: of the manifest; None where nothing is frozen.
    :param unfrozen: gives the digest where nothing is frozen.
    """

    def __init__(self, guard: Guard | None, unfrozen: Callable[[], str]) -> None:
        self._guard, self._unfrozen = guard, unfrozen

    @property
    def manifest_digest(self) -> str:
        """Digest of the manifest; empty where nothing is frozen."""
        return self._guard.digest if self._guard is not None else ''

    @property
    def digest(self) -> str:
        """What every trial is marked with."""
        return self.manifest_digest or self._unfrozen()

    @property
    def words(self) -> str:
        """What a person should know about it."""
        if self._guard is None:
            return 'unfrozen: reset, judge and limits may change between trials; see enpire freeze'
        manifest = self._guard.manifest
        return f'frozen {self.digest[:12]} ({manifest.frozen_at} by {manifest.frozen_by})'

    def held(self, station: Station, witnesses: Witnesses) -> Station:
        """Return the station, held to the manifest where there is one."""
        if self._guard is None:
            return station
        return FrozenStation(station, self._guard, witnesses)
