"""One run of a workspace's ``train.py``: what it reads, where it writes, and when it stops.

Everything of a workspace that Git does not keep lies in its folder ``.enpire``::

    .enpire/workspace.json   the run directories of the stations that it learns from
    .enpire/replay/          recorded trials
    .enpire/checkpoints/     weights and learner states
    .enpire/curves/          curves of training
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
import math
from pathlib import Path
import signal
import sys
import time

from rich.console import Console
from rich.markup import escape

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement.arguments import add_training_arguments
from enpire_nodes.improvement.checkpoints import CheckpointStore, DiskFullError
from enpire_nodes.improvement.curves import Curves
from enpire_nodes.improvement.following import Follower, Outline
from enpire_nodes.improvement.learning_curve import draw_learning_curve, Point
from enpire_nodes.improvement.progress import Progress
from enpire_nodes.improvement.recorded import RecordedTrial
from enpire_nodes.improvement.replay_store import ReplayStore
from enpire_nodes.improvement.workspace import Workspace


class DataMissingError(StationError):
    """Nobody has shown how the task is done."""

    def __init__(self, session: Session, demonstrators: str) -> None:
        places = ', '.join(str(run) for run in session.runs) or 'no run'
        super().__init__(
            ErrorCode.IMPROVEMENT_DATA_MISSING,
            f'recipe.yaml: data.demonstrators: there is no success of {demonstrators} in {places} '
            f'or {session.store.directory}; demonstrate with `enpire teleop`, or in simulation '
            'with `enpire run --controller demonstrator --attempts 1 -n 30`',
        )

    def __reduce__(self) -> tuple:
        return StationError, (self.code, self.message)


class Session:
    """What ``train.py`` works with.

    :param workspace: its folder.
    :param runs: run directories to learn from, besides what the replay store holds.
    :param follow: go on with the trials that a station closes, until told to stop.
    :param fresh: begin anew, and not where the last run of ``train.py`` was.
    """

    def __init__(
        self, workspace: Workspace, runs: list[Path], *, follow: bool = False, fresh: bool = False
    ) -> None:
        self.workspace, self.follow, self.fresh = workspace, follow, fresh
        self.runs = runs
        self.store = ReplayStore(workspace.replay)
        self.follower = Follower(runs, self.store)
        self.checkpoints = CheckpointStore(workspace.checkpoints)
        self.console = Console(highlight=False)
        self.stopping = False
        self._done: dict[str, float] = {}
        self._complained = -math.inf
        self._robot_seconds = 0.0
        self._points: dict[str, list[Point]] = {}

    @classmethod
    def begin(cls, description: str) -> Session:
        """Read the command line, and stop cleanly at SIGINT or SIGTERM from now on.

        :raises StationError: IMPROVEMENT_WORKSPACE_UNUSABLE, this is no workspace.
        """
        parser = argparse.ArgumentParser(prog='enpire train', description=description)
        add_training_arguments(parser)
        args = parser.parse_args()
        workspace = Workspace.find(Path.cwd())
        session = cls(
            workspace, args.runs or workspace.runs(), follow=args.follow, fresh=args.fresh
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, session._stop)
        return session

    def outlines(self) -> Iterator[Outline]:
        """Yield what there is to learn from, without reading bags."""
        return self.follower.outlines()

    def show(self, size: int) -> None:
        """Read the pictures of trials, too.

        :param size: px, of the crops that the policy is shown; 0 for none.
        """
        if size:
            self.follower.see(self.workspace.crops(size))

    def new_trials(self) -> list[RecordedTrial]:
        """Return the trials that have come since the last call, the stored ones first."""
        trials = self.follower.poll()
        for trial in trials:
            self._robot_seconds += trial.robot_seconds
            name = 'exploring' if trial.explored else trial.controller
            first = trial.attempts[:1]
            point = Point(self._robot_seconds / 60.0, bool(first) and first[0].success)
            self._points.setdefault(name, []).append(point)
        return trials

    def draw(self) -> None:
        """Draw success over robot time into ``.enpire/curves/learning_curve.png``."""
        if self._points:
            self.workspace.curves.mkdir(parents=True, exist_ok=True)
            draw_learning_curve(
                self.workspace.curves / 'learning_curve.png', self._points,
                title=f'{self.workspace.task}, with one-sided 95 % bounds',
            )  # fmt: skip

    def curves(self) -> Curves:
        """Return where curves are drawn."""
        return Curves(self.workspace.curves)

    def every(self, what: str, seconds: float) -> bool:
        """Tell whether it is time for something that is to happen every so often."""
        now = time.monotonic()
        if now - self._done.setdefault(what, now) < seconds:
            return False
        self._done[what] = now
        return True

    def writes(self, what: str, write: Callable[[], object]) -> bool:
        """Write something; when the disk is full, say so, and go on without it."""
        try:
            write()
        except OSError as error:
            if time.monotonic() - self._complained > 60.0:
                self._complained = time.monotonic()
                kind = '' if isinstance(error, DiskFullError) else f'{type(error).__name__}: '
                self.say(f'[red]{what} is not written[/]: {escape(kind + str(error))}')
            return False
        return True

    def refuses(self, check: Callable[[], object]) -> bool:
        """Try new weights; when they are refused, say why, and keep the ones before."""
        try:
            check()
        except Exception as error:  # noqa: BLE001 - a policy is anybody's code
            reason = error.message if isinstance(error, StationError) else repr(error)
            self.say(f'[red]weights are not published[/]: {escape(reason)}')
            return True
        return False

    def progress(self, title: str) -> Progress:
        """Return a line that shows how far it is; a context manager."""
        return Progress(self.console, title)

    def say(self, text: str) -> None:
        """Print a line for a person."""
        self.console.print(text, soft_wrap=True)  # a path that is broken is none

    def _stop(self, number: int, _: object) -> None:
        if self.stopping:
            raise KeyboardInterrupt
        self.stopping = True


def program(train: Callable[[], int]) -> None:
    """Run ``train`` as a program: errors become a line of text and an exit code of 1."""
    try:
        code = train()
    except StationError as error:
        sys.stderr.write(f'{error.message} [{error.code.name}]\n')
        code = 1
    except KeyboardInterrupt:
        code = 130
    raise SystemExit(code)
