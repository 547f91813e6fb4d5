"""The hub of a station, and its exchange with that of the fleet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import tempfile
import threading
from types import TracebackType

from enpire_nodes.common.errors import StationError
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.hub.seed import seed_files
from enpire_nodes.evolution.hub.sync import sync

_PERIOD = 60.0  # s between two exchanges
_LAST = 50.0  # s for one exchange that is under way, and one more, to end
_DIGEST = 4000  # characters of news that an agent is given
_EACH = 6  # ideas of another station that are told


def open_hub(named: str, otherwise: Path, task: str, *, log: Callable[[str], None]) -> Hub:
    """Return the hub that a parameter names; make the station's own where none is named.

    :raises StationError: HUB_UNUSABLE, HUB_GIT_FAILED.
    """
    if named:
        hub = Hub(Path(named).expanduser())
    elif otherwise.exists():
        hub = Hub(otherwise)
    else:
        with tempfile.TemporaryDirectory() as folder:
            seed_files(Path(folder), task)
            hub = Hub.create(otherwise, seed=Path(folder))
        log(f'a hub was made from the template: {otherwise}')
    hub.prepare()
    return hub


class Exchange:
    """Keeps a hub and that of the fleet in step, in a thread of its own; a context manager.

    A fleet's hub that is gone stops nothing: what was not exchanged is exchanged later.

    :param upstream: any Git URL; empty for a station that works alone.
    """

    def __init__(
        self, hub: Hub, upstream: str, *, station: str, log: Callable[[str], None]
    ) -> None:
        self._hub, self._upstream, self._station, self._log = hub, upstream, station, log
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Exchange:
        if self._upstream:
            self._thread = threading.Thread(target=self._run, name='hub-exchange', daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join(_LAST)
            if self._thread.is_alive():
                self._log(
                    f'the last exchange with the fleet did not end within {_LAST:.0f} s; what is '
                    'missing there goes with the next campaign'
                )

    def digest(self) -> str:
        """Return what other stations found, in bounded length."""
        ideas = [idea for idea in self._hub.ideas() if idea.station not in ('', self._station)]
        if not ideas:
            return 'no other station has published anything'
        results = {line.commit: line.record for line in self._hub.results() if line.verified}
        lines = []
        for station in sorted({idea.station for idea in ideas}):
            lines.append(f'{station}:')
            own = [idea for idea in ideas if idea.station == station]
            told = sorted(own, key=lambda i: (_rate(results.get(i.commit)), i.stamp_ns))
            lines += [
                f'  {idea.commit[:10]} {_score(results.get(idea.commit))} {idea.subject}'
                for idea in reversed(told[-_EACH:])
            ]
        claims = [f'  {c.station}: {c.key}' for c in self._hub.claims()]
        if claims:
            lines += ['claimed now:', *claims[:10]]
        text = '\n'.join(lines)
        return text if len(text) <= _DIGEST else text[: _DIGEST - 2].rstrip() + '\n…'

    def _run(self) -> None:
        while not self._ended.wait(_PERIOD):
            self._once()
        self._once()  # whatever was published last shall be there, too

    def _once(self) -> None:
        try:
            report = sync(self._hub.path, self._upstream, self._station)
        except StationError as error:
            self._log(f'nothing was exchanged with the fleet: {error}')
            return
        for words in report.refused:
            self._log(f'the fleet: {words}')
        if report.lost:
            self._log(f'other stations had claimed these ideas before: {", ".join(report.lost)}')


def _rate(result: dict | None) -> float:
    done, trials = _counts(result)
    return done / trials if trials else -1.0


def _score(result: dict | None) -> str:
    done, trials = _counts(result)
    return f'{done}/{trials}' if trials else '(no result)'


def _counts(result: dict | None) -> tuple[int, int]:
    """Return successes and trials; zeros for what another version may have signed."""
    found = result or {}
    done, trials = found.get('first_attempt_successes'), found.get('trials')
    return (done, trials) if isinstance(done, int) and isinstance(trials, int) else (0, 0)
