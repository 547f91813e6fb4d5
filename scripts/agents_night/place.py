"""Where one agent works: a clone, a home, its model behind the meter, and the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
import subprocess
import time

from scripted_model import ScriptedModel, Step

from enpire_nodes.evolution.agents.interface import Adapter, AgentTask
from enpire_nodes.evolution.agents.life import launcher, MakeLife
from enpire_nodes.evolution.metering.key import ModelKey
from enpire_nodes.evolution.metering.prices import PriceList
from enpire_nodes.evolution.metering.proxy import MeteringProxy
from enpire_nodes.evolution.records import ModelCall, Tokens
from enpire_nodes.sandbox.bubblewrap import command, relayed
from enpire_nodes.sandbox.profile import Profile

MODEL = 'scripted'
BASE_URL = 'http://127.0.0.1:8080'
#: Must not be seen by the agent; the model must see it.
KEY = 'a-key-of-the-station'
_GIT = ('git', '-c', 'user.name=station', '-c', 'user.email=station@example.com')


class Place:
    """A folder in which an agent can work; use it as a context.

    :param most_calls: of the model, after which the budget is used; 0 for no limit.
    """

    def __init__(
        self, folder: Path, adapter: Adapter, script: Sequence[Step], *, most_calls: int = 0
    ) -> None:
        self.folder, self.adapter = folder, adapter
        self.clone, self.home = folder / 'workspace', folder / 'home'
        self.log = folder / 'agent.log'
        self.model = ScriptedModel(script)
        self.calls: list[ModelCall] = []
        self._most_calls = most_calls
        self._socket = folder / 'model.sock'
        self._stack = ExitStack()

    def __enter__(self) -> Place:
        self.clone.mkdir(parents=True)
        self.adapter.prepare(self.home, model=MODEL, base_url=BASE_URL)
        self.git('init', '-q', '-b', 'main')
        (self.clone / 'PROGRAM.md').write_text('Make the policy better.\n')
        self.git('add', '.')
        self.git('commit', '-qm', 'Begin')
        for name, value in (('name', 'agent'), ('email', 'agent@example.com')):
            self.git('config', f'user.{name}', value)
        self._stack.enter_context(self.model)
        self.proxy = MeteringProxy(
            self._socket,
            upstream=self.model.url,
            key=ModelKey(KEY),
            gate=self._gate,
            record=self.calls.append,
            prices=PriceList(),
        )
        self._stack.enter_context(self.proxy)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def git(self, *words: str) -> str:
        """Run Git in the clone."""
        done = subprocess.run(
            [*_GIT, *words], cwd=self.clone, check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout.strip()

    @property
    def metered(self) -> Tokens:
        """What the meter counted."""
        return sum((call.tokens for call in list(self.calls)), Tokens())

    def task(self, prompt: str = 'Read PROGRAM.md and do what it says.') -> AgentTask:
        """Return the task of a new conversation."""
        session = self.adapter.new_session()
        return AgentTask(prompt, MODEL, self.clone, self.home, session=session)

    def make(self) -> MakeLife:
        """Return what starts lives of the agent in the sandbox."""
        return launcher(
            self.adapter,
            base_url=BASE_URL,
            log=self.log,
            wrap=self._wrap,
            mark=f'night/{self.folder.name}',
        )

    def _wrap(
        self, argv: list[str], environment: Mapping[str, str]
    ) -> tuple[list[str], Mapping[str, str]]:
        profile = Profile(
            workdir=self.clone,
            writable=(self.clone, self.home),
            readable=self.adapter.requirements(),
            sockets={'model': self._socket},
            environment={**environment, 'HOME': str(self.home)},
        )
        return command(profile, relayed({8080: 'model'}, argv)), {}

    def _gate(self) -> str:
        if self._most_calls and len(self.calls) >= self._most_calls:
            return 'the budget of tokens is used'
        return ''


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
    """Wait until something holds.

    :raises AssertionError: it did not come to hold in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f'{what}: not within {seconds:.0f} s')
        time.sleep(0.05)
