"""Kimi Code (``@moonshot-ai/kimi-code``), headless. It is never started without arguments."""

from __future__ import annotations

from collections.abc import Mapping
import json
from pathlib import Path

from enpire_nodes.common.writing import write_atomically
from enpire_nodes.evolution.agents import programs
from enpire_nodes.evolution.agents.interface import AgentEvent, AgentTask, EventKind, EventReader

KNOWN = '2.1.0'
_INSTALL = f'npm install -g @moonshot-ai/kimi-code@{KNOWN}, or set ENPIRE_KIMI to it'
_CONTEXT = 200_000  # tokens


class KimiReader:
    """Reads ``--output-format stream-json``.

    There is no usage in it; the session is in its last line; a call of a tool is printed when the
    tool has ended already.
    """

    def feed(self, line: str) -> list[AgentEvent]:
        """Read a line."""
        data = programs.parsed(line)
        role = data.get('role')
        if role == 'assistant':
            return [_call(call) for call in data.get('tool_calls') or []]
        if role == 'tool':
            call = str(data.get('tool_call_id', ''))
            return [AgentEvent(EventKind.TOOL_ENDED, call=call), AgentEvent(EventKind.THINKING)]
        if role == 'meta':
            return _meta(data)
        return []


class Kimi:
    """``kimi -p``."""

    name = 'kimi'
    external = True

    def __init__(self, program: Path | None = None, node: Path | None = None) -> None:
        self._program, self._node = program, node

    @property
    def program(self) -> Path:
        """Where its main script is installed."""
        if self._program is None:
            self._program = programs.locate('kimi', 'ENPIRE_KIMI', _INSTALL)
        return self._program

    @property
    def node(self) -> Path:
        """Where Node.js is installed; 22.19 or newer."""
        if self._node is None:
            words = 'install Node.js 22.19 or newer, or set ENPIRE_NODE to it'
            self._node = programs.locate('node', 'ENPIRE_NODE', words)
        return self._node

    def prepare(self, home: Path, *, model: str, base_url: str) -> None:
        """Write the settings: the proxy is its only provider."""
        folder = home / '.kimi-code'
        folder.mkdir(parents=True, exist_ok=True)
        lines = [
            'default_model = "station"',
            'telemetry = false',
            '[providers.station]',
            'type = "kimi"',
            f'base_url = {json.dumps(base_url + "/v1")}',
            f'api_key = "{programs.DUMMY_KEY}"',
            '[models.station]',
            'provider = "station"',
            f'model = {json.dumps(model or "kimi")}',
            f'max_context_size = {_CONTEXT}',
            '',
        ]
        write_atomically(folder / 'config.toml', '\n'.join(lines).encode())

    def argv(self, task: AgentTask) -> list[str]:
        """Return the command of one turn.

        :raises ValueError: there is no prompt, without which it would want a person.
        """
        if not task.prompt.strip():
            raise ValueError('kimi needs a prompt')
        return [
            *self._command(),
            *('-p', task.prompt, '--output-format', 'stream-json'),
            *(('-S', task.session) if task.resume else ()),
        ]

    def environment(self, task: AgentTask, base_url: str) -> Mapping[str, str]:
        """Return variables that stop what is not work."""
        return {
            'KIMI_CODE_HOME': str(task.home / '.kimi-code'),
            'KIMI_CODE_NO_AUTO_UPDATE': '1',
            'KIMI_DISABLE_TELEMETRY': '1',
            **programs.QUIET,
        }

    def events(self, task: AgentTask) -> EventReader:
        """Return a reader for one life."""
        return KimiReader()

    def requirements(self) -> tuple[Path, ...]:
        """Return the folder of its packages, and Node.js."""
        return (programs.package_of(self.program), self.node)

    def version(self) -> tuple[str, str]:
        """Ask for the version."""
        return programs.probe([*self._command(), '--version'], KNOWN)

    def new_session(self) -> str:
        """Return no id: it names its own."""
        return ''

    def session_of(self, home: Path, workdir: Path) -> str:
        """Read its index of sessions: a life that was killed did not print its own."""
        index = home / '.kimi-code' / 'session_index.jsonl'
        if not index.is_file():
            return ''
        entries = [programs.parsed(line) for line in index.read_text(errors='replace').split('\n')]
        found = [e for e in entries if e.get('workDir') == str(workdir)]
        return str(found[-1].get('sessionId', '')) if found else ''

    def _command(self) -> list[str]:
        return [str(self.node), str(self.program)]


def _call(call: dict) -> AgentEvent:
    function = call.get('function') or {}
    name, said = str(function.get('name', '')), function.get('arguments') or '{}'
    asked = programs.parsed(said) if isinstance(said, str) else said
    words = str(asked.get('command', ''))
    return AgentEvent(EventKind.TOOL_STARTED, words, tool=name, call=str(call.get('id', '')))


def _meta(data: dict) -> list[AgentEvent]:
    kind = str(data.get('type', ''))
    if kind == 'turn.step.retrying':
        return [AgentEvent(EventKind.RETRY, str(data.get('message', ''))[:500], ok=False)]
    if kind == 'session.resume_hint':
        session = str(data.get('session_id', ''))
        return [
            AgentEvent(EventKind.SESSION, session=session),
            AgentEvent(EventKind.TURN_ENDED),
        ]
    return []
