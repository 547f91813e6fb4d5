"""A hub, its sockets behind relays to TCP, and agents who work in clones of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
import subprocess
import threading

import pytest

from enpire_nodes.environment.contract.signing import signing_key
from enpire_nodes.evolution.hub.clone import clone_for_agent
from enpire_nodes.evolution.hub.git import clean_environment, git
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.hub.socket import HubSocket

_LONG = 50.0  # s


class Relay:
    """TCP to a Unix socket, as a sandbox has it."""

    def __init__(self, target: Path) -> None:
        self._target = str(target)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        serving = asyncio.start_server(self._meet, '127.0.0.1', 0)
        server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(_LONG)
        self.port = server.sockets[0].getsockname()[1]

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_LONG)

    async def _meet(self, reader, writer):
        there_reader, there_writer = await asyncio.open_unix_connection(self._target)
        await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))
        for end in (writer, there_writer):
            end.close()

    @staticmethod
    async def _pump(reader, writer):
        try:
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
            writer.write_eof()
        except OSError:
            writer.close()


class Agent:
    """Somebody who may do with a clone whatever Git can do."""

    def __init__(self, path: Path, station: str) -> None:
        self.path, self.station = path, station

    @property
    def branch(self):
        return f'refs/heads/station/{self.station}'

    def git(self, *words, content='', check=True, **environment):
        return subprocess.run(
            ['git', '-C', str(self.path), *words], input=content, text=True, capture_output=True,
            timeout=_LONG, check=check,
            env=clean_environment(**{
                'GIT_AUTHOR_NAME': self.station, 'GIT_COMMITTER_NAME': self.station, **environment
            }),
        )  # fmt: skip

    def write(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, 'utf-8')

    def commit(self, message='an idea', **files):
        """Commit files, named with __ for a dot; return the hash."""
        for name, text in files.items():
            self.write(name.replace('__', '.'), text)
        self.git('add', '--all')
        self.git('commit', '--quiet', '--allow-empty', '--message', message)
        return self.head()

    def head(self):
        return self.git('rev-parse', 'HEAD').stdout.strip()

    def push(self, *words):
        return self.git('push', '--porcelain', 'origin', *(words or ('HEAD',)), check=False)


@pytest.fixture
def key(tmp_path, monkeypatch):
    """Return a key that this machine trusts."""
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    return signing_key()


@pytest.fixture
def seed(tmp_path):
    folder = tmp_path / 'seed'
    (folder / 'judge').mkdir(parents=True)
    for name, text in {
        'FROZEN': '# these\njudge/\n',
        'PROGRAM.md': 'Make it better.\n',
        'environment.json': '{"task": "pin_insertion"}\n',
        'judge/reward.py': 'REWARD = 1\n',
        'policy.py': 'GAIN = 1\n',
        'notes.txt': 'none\n',
    }.items():
        (folder / name).write_text(text, 'utf-8')
    return folder


@pytest.fixture
def hub(tmp_path, seed):
    return Hub.create(tmp_path / 'hub.git', seed=seed)


@pytest.fixture
def serve(tmp_path, hub):
    """Return what serves the hub to a station; the answer is a URL."""
    open_ones = []

    def start(station, **options):
        place = HubSocket(tmp_path / f'{station}.sock', hub, station, **options)
        place.start()
        relay = Relay(place.path)
        open_ones.extend([relay, place])
        return f'git://127.0.0.1:{relay.port}/hub.git'

    yield start
    for one in open_ones:
        one.close()


@pytest.fixture
def join(tmp_path, hub, serve):
    """Return what makes an agent with a clone that is served."""

    def make(station='s1', **options):
        folder = tmp_path / 'agents' / station
        clone_for_agent(hub.path, folder, station, url=serve(station, **options))
        return Agent(folder, station)

    return make


@pytest.fixture
def idea(tmp_path):
    """Return what commits to a station's branch in a hub that serves nobody."""

    def make(hub, station, subject, name='policy.py'):
        folder = tmp_path / f'work-{subject}'
        clone_for_agent(hub.path, folder, station, url=str(hub.path))
        agent = Agent(folder, station)
        agent.write(name, f'GAIN = "{subject}"\n')
        made = agent.commit(subject)
        git(hub.path, 'fetch', '-q', str(folder), f'HEAD:{agent.branch}')
        return made

    return make


@pytest.fixture
def agent(join):
    return join()
