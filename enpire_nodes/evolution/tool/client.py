"""A client of the trial socket; standard library alone, for it starts with every command."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
import socket
from typing import Any
from urllib.parse import quote, urlencode

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.desk.views import (
    BudgetLine,
    from_json,
    HistoryView,
    JobView,
    to_json,
    TrialAsk,
)

_DEADLINE = 30.0  # s, beyond what the station was asked to wait
_READING = 120.0  # s, more for what reads bags


class DeskClient:
    """One method for each route; every one raises the StationError that the station answered.

    :param path: of the trial socket.
    :param timeout: s that an answer may take, beyond the wait that was asked for.
    :raises StationError: SUPERVISOR_SOCKET_FAILED from any method: the station does not answer.
    """

    def __init__(self, path: Path | str, *, timeout: float = _DEADLINE) -> None:
        self._path, self._timeout = str(path), timeout

    def status(self) -> dict[str, Any]:
        """Return where the campaign stands."""
        return self._json('GET', '/status')

    def submit(self, ask: TrialAsk) -> JobView:
        """Queue trials."""
        return from_json(JobView, self._json('POST', '/jobs', to_json(ask)))

    def jobs(self) -> list[JobView]:
        """Return all jobs, oldest first."""
        return [from_json(JobView, item) for item in self._json('GET', '/jobs')]

    def job(self, job_id: str, *, wait: float = 0.0) -> JobView:
        """Return a job, once it is over or ``wait`` s (at most 10) have passed."""
        query = f'?{urlencode({"wait": wait})}' if wait > 0.0 else ''
        route = f'/jobs/{quote(job_id, safe="")}{query}'
        return from_json(JobView, self._json('GET', route, wait=wait))

    def cancel(self, job_id: str) -> JobView:
        """Run no more trials of a job."""
        return from_json(JobView, self._json('DELETE', f'/jobs/{quote(job_id, safe="")}'))

    def job_log(self, job_id: str) -> str:
        """Return accounts of the failures of a job."""
        return self._log(f'/jobs/{quote(job_id, safe="")}/log')

    def trial_log(self, trial_id: str) -> str:
        """Return the account of a trial."""
        return self._log(f'/trials/{quote(trial_id, safe="")}/log')

    def picture(self, trial_id: str, *, camera: str = '', moment: float = 0.5) -> bytes:
        """Return a PNG of what a camera saw.

        :param camera: the first one by default.
        :param moment: share of the trial's length, 0 to 1.
        """
        query = urlencode({'camera': camera, 'moment': moment})
        return self._bytes(f'/trials/{quote(trial_id, safe="")}/picture?{query}')[0]

    def clip(self, trial_id: str, *, camera: str = '') -> tuple[bytes, str]:
        """Return a moving picture of a trial, and its media type (MP4 or GIF)."""
        route = f'/trials/{quote(trial_id, safe="")}/clip?{urlencode({"camera": camera})}'
        return self._bytes(route)

    def store(self, content: bytes) -> str:
        """Hand in weights; return their sha256."""
        return self._json('PUT', '/artifacts', content)['sha256']

    def history(self) -> HistoryView:
        """Return what was tried, and what came of it."""
        return from_json(HistoryView, self._json('GET', '/history'))

    def idea(self, sentence: str) -> dict[str, Any]:
        """Claim an idea; see :meth:`~enpire_nodes.evolution.desk.interface.Desk.idea`."""
        return self._json('POST', '/ideas', {'sentence': sentence})

    def publish(self, commit: str, weights: str = '') -> JobView:
        """Propose a commit for ``main``."""
        asked = {'commit': commit, 'weights': weights}
        return from_json(JobView, self._json('POST', '/publish', asked))

    def budget(self) -> list[BudgetLine]:
        """Return what was used of every budget."""
        return [from_json(BudgetLine, item) for item in self._json('GET', '/budget')]

    def peers(self) -> str:
        """Return news of the other stations."""
        return self._json('GET', '/peers')['text']

    def _json(self, method: str, route: str, body: Any = None, *, wait: float = 0.0) -> Any:
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        answer, _ = self._ask(method, route, content, wait)
        try:
            return json.loads(answer)
        except ValueError as error:
            raise _failed(f'{route} was answered with no JSON') from error

    def _log(self, route: str) -> str:
        return self._json('GET', route, wait=_READING)['text']

    def _bytes(self, route: str) -> tuple[bytes, str]:
        return self._ask('GET', route, None, _READING)

    def _ask(
        self, method: str, route: str, content: bytes | None, wait: float
    ) -> tuple[bytes, str]:
        link = _UnixConnection(self._path, self._timeout + wait)
        try:
            link.request(method, route, body=content, headers={'Connection': 'close'})
            reply = link.getresponse()
            answer, kind = reply.read(), reply.headers.get_content_type()
        except (OSError, http.client.HTTPException) as error:
            raise _failed(
                f'{self._path}: {type(error).__name__}: {error}; the station may be restarting: '
                'call again in a while'
            ) from error
        finally:
            link.close()
        if reply.status >= 400:
            raise _refusal(answer, reply.status)
        return answer, kind


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__('localhost', timeout=timeout)
        self._socket_path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._socket_path)


def _refusal(answer: bytes, status: int) -> StationError:
    try:
        body = json.loads(answer)
        return StationError(ErrorCode[body['error']], str(body['message']))
    except (ValueError, KeyError, TypeError):
        words = answer[:200].decode('utf-8', 'replace').strip()
        return _failed(f'the station answered {status}: {words}')


def _failed(words: str) -> StationError:
    return StationError(ErrorCode.SUPERVISOR_SOCKET_FAILED, words)
