"""Keeps the policy's process ready, in a thread of its own, so that nothing else ever waits."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
import time
from typing import Any

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers import registry
from enpire_nodes.rollout.controllers.interface import Action, AttemptContext
from enpire_nodes.rollout.policy.client import PolicyWorker, WorkerSpec
from enpire_nodes.rollout.policy.timing import Durations


@dataclass(frozen=True, slots=True)
class Selection:
    """A controller and the settings that differ from their defaults."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The policy that is ready for an attempt.

    :param digest: sha256 over the controller's code, settings and files as they were loaded.
    :param walls: what keeps its process from the network.
    :param settings: as it was made with them; links to files are followed.
    """

    digest: str
    walls: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Loaded:
    selection: Selection
    pinned: Selection
    digest: str


class PolicyHost:
    """Runs one policy worker at a time; every method returns at once, with a future.

    The futures are completed in the host's thread, in the order of the calls, and carry a
    :class:`StationError` when the policy failed. The kernel ends a worker together with the thread
    that started it, so that thread is this one, and lasts.

    :param template: of the worker; its controller is replaced by the selected one.
    """

    def __init__(self, template: WorkerSpec) -> None:
        self._template = template
        self._thread = ThreadPoolExecutor(1, thread_name_prefix='policy')
        self._worker: PolicyWorker | None = None
        self._loaded: _Loaded | None = None
        self._chosen_for = ''
        self._closed = False
        self.restarts = 0
        self.round_trips = Durations()

    @property
    def walls(self) -> tuple[str, ...]:
        """What keeps the present worker from the network."""
        worker = self._worker
        return worker.walls if worker is not None else ()

    def warm(self, selection: Selection, *, trial_id: str = '') -> Future[Prepared]:
        """Have a worker of the selected controller running.

        :param trial_id: whose scene is being reset: its policy is the one that is found now, so
            that new weights are loaded while the robot works, and not when it waits for them.
        """
        return self._thread.submit(self._warm, selection, trial_id)

    def prepare(
        self, selection: Selection, context: AttemptContext, *, trial_id: str = ''
    ) -> Future[Prepared]:
        """Have a worker of the selected controller ready for an attempt.

        A first attempt looks whether the policy's files have changed, unless :meth:`warm` did for
        this trial; a later one keeps the worker, which may remember the attempts before.
        """
        return self._thread.submit(self._prepare, selection, context, trial_id)

    def step(
        self, features: Mapping[str, np.ndarray], *, deadline: float
    ) -> Future[Action | None]:
        """Ask for an action; ``None`` when it did not come within ``deadline`` s."""
        return self._thread.submit(self._step, features, deadline)

    def end(self) -> None:
        """Kill the worker."""
        self._thread.submit(self._stop)

    def close(self) -> None:
        """Kill the worker and end the thread; may be repeated."""
        self._closed = True
        worker = self._worker
        if worker is not None:
            worker.kill()  # ends a start or a step that is under way
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._stop()

    def _warm(self, selection: Selection, trial_id: str) -> Prepared:
        prepared = self._ensure(selection, look=True)
        self._chosen_for = trial_id
        return prepared

    def _prepare(self, selection: Selection, context: AttemptContext, trial_id: str) -> Prepared:
        chosen = bool(trial_id) and trial_id == self._chosen_for
        prepared = self._ensure(selection, look=context.attempt <= 1 and not chosen)
        self._worker.reset(context)
        return prepared

    def _ensure(self, selection: Selection, *, look: bool) -> Prepared:
        worker, loaded = self._worker, self._loaded
        if worker is None or loaded is None or not worker.running:
            return self._start(selection)
        if loaded.selection != selection:
            return self._start(selection)
        if look and not self._is_current(loaded):
            return self._start(selection)
        return Prepared(loaded.digest, worker.walls, loaded.pinned.settings)

    def _start(self, selection: Selection) -> Prepared:
        self._stop()
        if self._closed:
            raise StationError(ErrorCode.POLICY_WORKER_FAILED, 'the executor is shutting down')
        pinned = self._pinned(selection)
        before = self._digest(pinned)
        spec = replace(self._template, name=pinned.name, settings=dict(pinned.settings))
        self._worker = PolicyWorker(spec)
        self.restarts += 1
        self._worker.start()
        try:
            changed = self._digest(pinned) != before
        except StationError:
            self._stop()
            raise
        if changed:
            self._stop()
            raise StationError(
                ErrorCode.POLICY_BAD_PARAMETER,
                f'the files of controller {selection.name!r} changed while they were loaded; '
                'try again when they are written',
            )
        self._loaded = _Loaded(selection, pinned, before)
        return Prepared(before, self._worker.walls, pinned.settings)

    def _step(self, features: Mapping[str, np.ndarray], deadline: float) -> Action | None:
        worker = self._worker
        if worker is None:
            raise StationError(ErrorCode.POLICY_WORKER_FAILED, 'the policy process is not running')
        began = time.monotonic()
        action = worker.step(features, deadline=deadline)
        if action is not None:
            self.round_trips.add(time.monotonic() - began)
        return action

    def _stop(self) -> None:
        worker, self._worker, self._loaded = self._worker, None, None
        if worker is not None:
            worker.stop()

    def _is_current(self, loaded: _Loaded) -> bool:
        return (
            self._pinned(loaded.selection) == loaded.pinned
            and self._digest(loaded.pinned) == loaded.digest
        )

    @staticmethod
    def _pinned(selection: Selection) -> Selection:
        return Selection(selection.name, registry.pinned(selection.name, selection.settings))

    @staticmethod
    def _digest(selection: Selection) -> str:
        try:
            return registry.digest(selection.name, selection.settings)
        except OSError as error:
            raise StationError(
                ErrorCode.POLICY_BAD_PARAMETER,
                f'a file of controller {selection.name!r} cannot be read: {error}',
            ) from error
