"""Codex, headless: ``codex exec --json``, one process for a turn."""

from __future__ import annotations

from collections.abc import Mapping
import json
from pathlib import Path

from enpire_nodes.common.writing import write_atomically
from enpire_nodes.evolution.agents import programs
from enpire_nodes.evolution.agents.interface import AgentEvent, AgentTask, EventKind, EventReader
from enpire_nodes.evolution.records import Tokens

KNOWN = '0.169.0'
_INSTALL = f'npm install -g @openai/codex@{KNOWN}, or set ENPIRE_CODEX to its native binary'
_TOOLS = ('command_execution', 'file_change', 'mcp_tool_call', 'web_search')
_KEY = 'ENPIRE_MODEL_KEY'
_RETRIES = 4


class CodexReader:
    """Reads ``exec --json``. The usage that it prints is of the whole conversation so far."""

    def __init__(self, *, resumed: bool = False) -> None:
        # what was used before this life is not known, and so neither is what its first turn took
        self._used: dict | None = None if resumed else {}

    def feed(self, line: str) -> list[AgentEvent]:
        """Read a line."""
        data = programs.parsed(line)
        kind, item = data.get('type'), data.get('item') or {}
        if kind == 'thread.started':
            return [AgentEvent(EventKind.SESSION, session=data['thread_id'])]
        if kind == 'turn.started':
            return [AgentEvent(EventKind.THINKING)]
        if kind == 'item.started' and item.get('type') in _TOOLS:
            words = str(item.get('command', ''))
            return [AgentEvent(EventKind.TOOL_STARTED, words, tool=item['type'], call=item['id'])]
        if kind == 'item.completed' and item.get('type') in _TOOLS:
            ok = item.get('status') == 'completed'
            return [AgentEvent(EventKind.TOOL_ENDED, tool=item['type'], call=item['id'], ok=ok)]
        if kind == 'turn.completed':
            return [*self._usage(data.get('usage') or {}), AgentEvent(EventKind.TURN_ENDED)]
        if kind == 'error':
            words = str(data.get('message', ''))[:500]
            again = words.lower().startswith('reconnecting')
            return [AgentEvent(EventKind.RETRY if again else EventKind.ERROR, words, ok=False)]
        if kind == 'turn.failed':
            words = str((data.get('error') or {}).get('message', ''))[:500]
            return [AgentEvent(EventKind.TURN_ENDED, words, ok=False)]
        return []

    def _usage(self, usage: dict) -> list[AgentEvent]:
        before, self._used = self._used, usage
        if before is None:
            return []
        took = {name: value - before.get(name, 0) for name, value in usage.items()}
        cached = took.get('cached_input_tokens', 0)
        written = took.get('cache_write_input_tokens', 0)
        tokens = Tokens(
            fresh=took.get('input_tokens', 0) - cached,
            cached=cached,
            written=written,
            output=took.get('output_tokens', 0),
            reasoning=took.get('reasoning_output_tokens', 0),
        )
        return [AgentEvent(EventKind.USAGE, tokens=tokens)]


class Codex:
    """``codex exec``, by its native binary: its launcher would outlive a kill."""

    name = 'codex'
    external = True

    def __init__(self, program: Path | None = None) -> None:
        self._program = program

    @property
    def program(self) -> Path:
        """Where its native binary is installed."""
        if self._program is None:
            self._program = native(programs.locate('codex', 'ENPIRE_CODEX', _INSTALL))
        return self._program

    def prepare(self, home: Path, *, model: str, base_url: str) -> None:
        """Write the settings: the proxy is its only provider."""
        folder = home / '.codex'
        folder.mkdir(parents=True, exist_ok=True)
        lines = [
            'model_provider = "station"',
            *([f'model = {json.dumps(model)}'] if model else ()),
            'check_for_update_on_startup = false',
            'web_search = "disabled"',
            '[analytics]',
            'enabled = false',
            '[model_providers.station]',
            'name = "station"',
            f'base_url = {json.dumps(base_url + "/v1")}',
            f'env_key = "{_KEY}"',
            'wire_api = "responses"',
            f'request_max_retries = {_RETRIES}',
            f'stream_max_retries = {_RETRIES}',
            '',
        ]
        write_atomically(folder / 'config.toml', '\n'.join(lines).encode())

    def argv(self, task: AgentTask) -> list[str]:
        """Return the command of one turn."""
        return [
            *(str(self.program), 'exec'),
            *(('resume', task.session) if task.resume else ()),
            *('--json', '--dangerously-bypass-approvals-and-sandbox', '--skip-git-repo-check'),
            *(('-m', task.model) if task.model else ()),
            task.prompt,
        ]

    def environment(self, task: AgentTask, base_url: str) -> Mapping[str, str]:
        """Return variables: where its settings are, and a key that is none."""
        return {
            'CODEX_HOME': str(task.home / '.codex'),
            _KEY: programs.DUMMY_KEY,
            **programs.QUIET,
        }

    def events(self, task: AgentTask) -> EventReader:
        """Return a reader for one life."""
        return CodexReader(resumed=task.resume)

    def requirements(self) -> tuple[Path, ...]:
        """Return the folder of packages that its program lies in."""
        return (programs.package_of(self.program),)

    def version(self) -> tuple[str, str]:
        """Ask for the version."""
        return programs.probe([str(self.program), '--version'], KNOWN)

    def new_session(self) -> str:
        """Return no id: it names its own, in its first line."""
        return ''

    def session_of(self, home: Path, workdir: Path) -> str:
        """Return no id: its first line is early enough."""
        return ''


def native(program: Path) -> Path:
    """Return the native binary of an installed ``codex``; a native one is itself."""
    if program.suffix != '.js':
        return program
    package = program.parent.parent
    folders = (package, *package.parent.glob('codex-*'), *package.glob('node_modules/@openai/*'))
    for folder in folders:
        for found in sorted(folder.glob('vendor/*/*/codex')):
            if found.is_file():
                return found
    return program
