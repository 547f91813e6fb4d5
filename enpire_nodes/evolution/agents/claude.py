"""Claude Code, headless: one process for a turn, its stream of JSON on the standard output."""

from __future__ import annotations

from collections.abc import Mapping
import os
from pathlib import Path
import uuid

from enpire_nodes.common.writing import write_json
from enpire_nodes.evolution.agents import programs
from enpire_nodes.evolution.agents.interface import AgentEvent, AgentTask, EventKind, EventReader
from enpire_nodes.evolution.records import Tokens

KNOWN = '2.1.330'
_INSTALL = f'npm install -g @anthropic-ai/claude-code@{KNOWN}, or set ENPIRE_CLAUDE to it'
_BASH_DEFAULT, _BASH_MOST = 120, 600  # s that a command of the agent may take
_KINDS = ('system', 'stream_event', 'assistant', 'user', 'result')


class ClaudeReader:
    """Reads ``--output-format stream-json --verbose --include-partial-messages``.

    The final number of output tokens is only in ``message_delta``; ``assistant`` lines repeat a
    placeholder for every block of content. A process may print several results: a background task
    that ends wakes the model.
    """

    #: The pieces of messages that come again whole.
    noise = '{"type":"stream_event"'

    def __init__(self) -> None:
        self._usage: dict[str | None, dict] = {}

    def feed(self, line: str) -> list[AgentEvent]:
        """Read a line."""
        data = programs.parsed(line)
        kind = data.get('type')
        return getattr(self, f'_{kind}')(data) if kind in _KINDS else []

    def _system(self, data: dict) -> list[AgentEvent]:
        subtype = data.get('subtype')
        if subtype == 'init':
            return [AgentEvent(EventKind.SESSION, session=data['session_id'])]
        if subtype == 'status' and data.get('status') == 'requesting':
            return [AgentEvent(EventKind.THINKING)]
        if subtype == 'api_retry':
            words = f'try {data.get("attempt")}, status {data.get("error_status")}'
            return [AgentEvent(EventKind.RETRY, words, ok=False)]
        return []

    def _stream_event(self, data: dict) -> list[AgentEvent]:
        event, key = data['event'], data.get('parent_tool_use_id')
        if event['type'] == 'message_start':
            self._usage[key] = dict(event['message']['usage'])
        elif event['type'] == 'message_delta':
            usage = self._usage.pop(key, {})
            usage |= {k: v for k, v in event.get('usage', {}).items() if v is not None}
            return [AgentEvent(EventKind.USAGE, tokens=_tokens(usage))]
        return []

    def _assistant(self, data: dict) -> list[AgentEvent]:
        return [
            AgentEvent(
                EventKind.TOOL_STARTED,
                str(block['input'].get('command', '')),
                tool=block['name'],
                call=block['id'],
            )
            for block in _blocks(data, 'tool_use')
        ]

    def _user(self, data: dict) -> list[AgentEvent]:
        return [
            AgentEvent(
                EventKind.TOOL_ENDED, call=block['tool_use_id'], ok=not block.get('is_error')
            )
            for block in _blocks(data, 'tool_result')
        ]

    def _result(self, data: dict) -> list[AgentEvent]:
        failed = bool(data.get('is_error'))
        words = str(data.get('terminal_reason') or data.get('subtype') or '')
        found = []
        if failed:  # the subtype says 'success' even then
            said = str(data.get('result') or words)[:500]
            found.append(AgentEvent(EventKind.ERROR, said, ok=False))
        return [*found, AgentEvent(EventKind.TURN_ENDED, words, ok=not failed)]


class Claude:
    """``claude -p``. Permissions are the sandbox's business: its own rules can be got around."""

    name = 'claude'
    external = True

    def __init__(self, program: Path | None = None) -> None:
        self._program = program

    @property
    def program(self) -> Path:
        """Where it is installed: a native binary."""
        if self._program is None:
            self._program = programs.locate('claude', 'ENPIRE_CLAUDE', _INSTALL)
        return self._program

    def prepare(self, home: Path, *, model: str, base_url: str) -> None:
        """Write the answers to what it asks on its first start, so that it does not ask."""
        home.mkdir(parents=True, exist_ok=True)
        state = home / '.claude.json'
        if not state.exists():
            write_json(state, {'hasCompletedOnboarding': True, 'autoUpdates': False})

    def argv(self, task: AgentTask) -> list[str]:
        """Return the command of one turn."""
        session = ['--resume' if task.resume else '--session-id', task.session]
        return [
            *(str(self.program), '-p', task.prompt),
            *('--output-format', 'stream-json', '--verbose', '--include-partial-messages'),
            *(session if task.session else ()),
            *(('--model', task.model) if task.model else ()),
            *('--permission-mode', 'bypassPermissions'),
            *('--strict-mcp-config', '--setting-sources', ''),
        ]

    def environment(self, task: AgentTask, base_url: str) -> Mapping[str, str]:
        """Return variables that name the proxy, and stop what is not work."""
        small = {'ANTHROPIC_SMALL_FAST_MODEL': task.model} if task.model else {}
        return {
            'ANTHROPIC_BASE_URL': base_url,
            'ANTHROPIC_API_KEY': programs.DUMMY_KEY,
            'DISABLE_AUTOUPDATER': '1',
            'DISABLE_TELEMETRY': '1',
            'DISABLE_ERROR_REPORTING': '1',
            'CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC': '1',
            'BASH_DEFAULT_TIMEOUT_MS': str(_BASH_DEFAULT * 1000),
            'BASH_MAX_TIMEOUT_MS': str(_BASH_MOST * 1000),
            # it does not bypass permissions as root unless it is told that this is a sandbox
            **({'IS_SANDBOX': '1'} if os.geteuid() == 0 else {}),
            **small,
            **programs.QUIET,
        }

    def events(self, task: AgentTask) -> EventReader:
        """Return a reader for one life."""
        return ClaudeReader()

    def requirements(self) -> tuple[Path, ...]:
        """Return the folder of packages that its program lies in."""
        return (programs.package_of(self.program),)

    def version(self) -> tuple[str, str]:
        """Ask for the version."""
        return programs.probe([str(self.program), '--version'], KNOWN)

    def new_session(self) -> str:
        """Choose an id: it is then known before anything was said."""
        return str(uuid.uuid4())

    def session_of(self, home: Path, workdir: Path) -> str:
        """Return no id: it was chosen."""
        return ''


def _blocks(data: dict, kind: str) -> list[dict]:
    content = data['message']['content']
    if not isinstance(content, list):
        return []
    return [block for block in content if block.get('type') == kind]


def _tokens(usage: dict) -> Tokens:
    details = usage.get('output_tokens_details') or {}
    return Tokens(
        fresh=usage.get('input_tokens') or 0,
        cached=usage.get('cache_read_input_tokens') or 0,
        written=usage.get('cache_creation_input_tokens') or 0,
        output=usage.get('output_tokens') or 0,
        reasoning=details.get('thinking_tokens') or 0,
    )
