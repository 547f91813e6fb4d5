"""Any agent that speaks the Agent Client Protocol: JSON-RPC, a message in a line.

Protocol version 1: https://agentclientprotocol.com. A life is one prompt: ``initialize``,
``session/new`` or ``session/load``, ``session/prompt``, and the end of the standard input.
"""

from __future__ import annotations

from collections.abc import Mapping
import json
from pathlib import Path
import shlex

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.agents import programs
from enpire_nodes.evolution.agents.interface import AgentEvent, AgentTask, EventKind, EventReader

_VERSION = 1
_NO_METHOD = -32601
_INITIALIZE, _SESSION, _PROMPT, _NEW = 1, 2, 3, 4


class AcpConversation:
    """The client's side of one prompt."""

    def __init__(self, task: AgentTask) -> None:
        self._task, self._session = task, task.session
        self._queue: list[str] = []
        self._tools: set[str] = set()
        self._prompted = self._over = False

    @property
    def over(self) -> bool:
        """Whether the prompt was answered, or will not be."""
        return self._over

    def opening(self) -> list[str]:
        """Return the first request."""
        self._ask(
            _INITIALIZE,
            'initialize',
            protocolVersion=_VERSION,
            clientCapabilities={
                'fs': {'readTextFile': False, 'writeTextFile': False},
                'terminal': False,
            },
        )
        return self.answers()

    def answers(self) -> list[str]:
        """Return what is to be said now."""
        said, self._queue = self._queue, []
        return said

    def interruption(self) -> list[str]:
        """Return the notification that cancels the prompt."""
        message = {'method': 'session/cancel', 'params': {'sessionId': self._session}}
        return [json.dumps({'jsonrpc': '2.0', **message})] if self._session else []

    def feed(self, line: str) -> list[AgentEvent]:
        """Read a message."""
        data = programs.parsed(line)
        if 'method' in data and 'id' in data:
            return self._request(data)
        if data.get('method') == 'session/update':
            # loading a conversation tells all of it again
            return self._update(data['params']['update']) if self._prompted else []
        if 'id' in data:
            return self._answer(data)
        return []

    def _ask(self, number: int, method: str, **params: object) -> None:
        self._queue.append(
            json.dumps({'jsonrpc': '2.0', 'id': number, 'method': method, 'params': params})
        )

    def _request(self, data: dict) -> list[AgentEvent]:
        answer = {'jsonrpc': '2.0', 'id': data['id']}
        if data['method'] == 'session/request_permission':
            answer['result'] = {'outcome': _permission(data['params'].get('options') or [])}
        else:
            answer['error'] = {'code': _NO_METHOD, 'message': f'no method {data["method"]}'}
        self._queue.append(json.dumps(answer))
        return []

    def _answer(self, data: dict) -> list[AgentEvent]:
        number, result = data['id'], data.get('result') or {}
        if data.get('error'):  # some send an empty one with every result
            if number == _SESSION and self._task.resume:
                return self._open_new()
            return self._fail(str(data['error'].get('message', data['error'])))
        if number == _INITIALIZE:
            return self._open(result)
        if number in (_SESSION, _NEW):
            self._session = result.get('sessionId') or self._session
            self._prompted = True
            prompt = [{'type': 'text', 'text': self._task.prompt}]
            self._ask(_PROMPT, 'session/prompt', sessionId=self._session, prompt=prompt)
            session = AgentEvent(EventKind.SESSION, session=self._session)
            return [session, AgentEvent(EventKind.THINKING)]
        if number == _PROMPT:
            self._over = True
            reason = str(result.get('stopReason', ''))
            return [AgentEvent(EventKind.TURN_ENDED, reason, ok=reason == 'end_turn')]
        return []

    def _open(self, result: dict) -> list[AgentEvent]:
        version = result.get('protocolVersion', _VERSION)
        if version != _VERSION:
            return self._fail(f'it speaks version {version} of the protocol, not {_VERSION}')
        can_load = (result.get('agentCapabilities') or {}).get('loadSession')
        if not (self._task.resume and can_load):
            return self._open_new()
        self._ask(
            _SESSION,
            'session/load',
            sessionId=self._session,
            cwd=str(self._task.workdir),
            mcpServers=[],
        )
        return []

    def _open_new(self) -> list[AgentEvent]:
        self._session = ''
        self._ask(_NEW, 'session/new', cwd=str(self._task.workdir), mcpServers=[])
        return []

    def _fail(self, words: str) -> list[AgentEvent]:
        self._over = True
        return [
            AgentEvent(EventKind.ERROR, words[:500], ok=False),
            AgentEvent(EventKind.TURN_ENDED, words[:500], ok=False),
        ]

    def _update(self, update: dict) -> list[AgentEvent]:
        kind, call = update.get('sessionUpdate'), str(update.get('toolCallId', ''))
        if kind in ('agent_thought_chunk', 'agent_message_chunk'):
            return [AgentEvent(EventKind.THINKING)]
        found = []
        if kind == 'tool_call':
            self._tools.add(call)
            tool = str(update.get('kind', ''))
            words = str(update.get('title', ''))
            found.append(AgentEvent(EventKind.TOOL_STARTED, words, tool=tool, call=call))
        # an agent may tell of a call only when it has ended
        status = update.get('status')
        if call in self._tools and status in ('completed', 'failed'):
            self._tools.discard(call)
            found.append(AgentEvent(EventKind.TOOL_ENDED, call=call, ok=status == 'completed'))
        return found


class Acp:
    """``acp:<command>``; its own settings must name the model at ``ENPIRE_MODEL_URL``."""

    external = True

    def __init__(self, command: str) -> None:
        self.name = f'acp:{command}'
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            words = f'{self.name}: {error}'
            raise StationError(ErrorCode.SUPERVISOR_AGENT_UNKNOWN, words) from error
        if not self._words:
            raise StationError(
                ErrorCode.SUPERVISOR_AGENT_UNKNOWN,
                'acp: needs the command of an agent, as in "acp:opencode acp"',
            )

    def prepare(self, home: Path, *, model: str, base_url: str) -> None:
        """Make the home; what is in it is the agent's own business."""
        home.mkdir(parents=True, exist_ok=True)

    def argv(self, task: AgentTask) -> list[str]:
        """Return the command; prompts go to its standard input."""
        program = programs.locate(self._words[0], '', 'install the agent')
        return [str(program), *self._words[1:]]

    def environment(self, task: AgentTask, base_url: str) -> Mapping[str, str]:
        """Return variables by which many agents find a model; no key is a real one."""
        return {
            'ENPIRE_MODEL': task.model,
            'ENPIRE_MODEL_URL': base_url,
            'ANTHROPIC_BASE_URL': base_url,
            'ANTHROPIC_API_KEY': programs.DUMMY_KEY,
            'OPENAI_BASE_URL': f'{base_url}/v1',
            'OPENAI_API_KEY': programs.DUMMY_KEY,
            **programs.QUIET,
        }

    def events(self, task: AgentTask) -> EventReader:
        """Return the client's side of one prompt."""
        return AcpConversation(task)

    def requirements(self) -> tuple[Path, ...]:
        """Return the folders that its program, and whatever else its command names, lie in."""
        named = [Path(word).resolve() for word in self._words[1:] if word.startswith('/')]
        program = programs.locate(self._words[0], '', 'install the agent')
        files = [program, *(path for path in named if path.is_file())]
        return tuple(dict.fromkeys(programs.package_of(path) for path in files))

    def version(self) -> tuple[str, str]:
        """Return no version: the protocol says its own when it begins."""
        return '', ''

    def new_session(self) -> str:
        """Return no id: it names its own."""
        return ''

    def session_of(self, home: Path, workdir: Path) -> str:
        """Return no id: its answer is early enough."""
        return ''


def _permission(options: list[dict]) -> dict:
    """Allow what is asked for: the sandbox is the limit, not a question."""
    for kind in ('allow_always', 'allow_once'):
        for option in options:
            if option.get('kind') == kind:
                return {'outcome': 'selected', 'optionId': option['optionId']}
    return {'outcome': 'cancelled'}
