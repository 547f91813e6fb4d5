"""The three ways in which a scripted model answers: messages, responses, chat completions.

Each function turns a request and a step into events of a stream, or into one object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
import itertools
import json
import os.path
import re
from typing import Any

from enpire_nodes.evolution.records import Tokens

_NUMBERS = itertools.count(1)
_SHELLS = ('Bash', 'exec_command', 'shell_command', 'shell', 'Shell', 'bash')
_WRITERS = ('Write', 'WriteFile', 'write', 'write_file')
_FOLDER = re.compile(r'(?:working directory(?: is)?|cwd):?\s*`?(/[^\\\s"`]+)', re.IGNORECASE)


@dataclass(frozen=True)
class Step:
    """What the model does once; one of ``shell``, ``write``, ``tool`` and ``say``.

    :param shell: command; run by whatever tool the agent has for it.
    :param write: (path below the agent's folder, text).
    :param tool: (name, arguments), as they are.
    :param say: text; alone, it ends the agent's turn.
    :param think: reasoning before it.
    :param tokens: what the model says that it took.
    :param status: HTTP status to fail with, ``failures`` times, before the step is played.
    :param delay: s before it answers.
    """

    shell: str = ''
    write: tuple[str, str] | None = None
    tool: tuple[str, Any] | None = None
    say: str = ''
    think: str = ''
    tokens: Tokens = field(default_factory=lambda: Tokens(1000, 800, 0, 100, 70))
    status: int = 0
    failures: int = 1
    delay: float = 0.0


@dataclass(frozen=True)
class Tool:
    """A tool that the agent offers."""

    name: str
    schema: dict
    custom: bool = False


@dataclass(frozen=True)
class Wire:
    """One way to ask a model.

    :param position: number of results of tools since the last prompt.
    :param cached_writes: whether it knows a class of tokens that are written into a cache.
    """

    name: str
    tools: Callable[[dict], list[Tool]]
    position: Callable[[dict], int]
    whole: Callable[[dict, Step, tuple[Tool, Any] | None], dict]
    stream: Callable[[dict], Iterator[tuple[str, dict | str]]]
    cached_writes: bool = False

    def truth(self, tokens: Tokens) -> Tokens:
        """Say what of a step's tokens can be said on this wire."""
        if self.cached_writes:
            return tokens
        return Tokens(tokens.fresh, tokens.cached, 0, tokens.output, tokens.reasoning)


def call_of(step: Step, tools: list[Tool], request: dict) -> tuple[Tool, Any] | None:
    """Choose the agent's tool for a step, and its arguments."""
    offered = {tool.name: tool for tool in tools}
    if step.tool:
        return offered.get(step.tool[0], Tool(step.tool[0], {})), step.tool[1]
    shell = step.shell
    if step.write:
        path, text = step.write
        found = next((offered[name] for name in _WRITERS if name in offered), None)
        if found:
            names = found.schema.get('properties', {})
            key = next(k for k in ('file_path', 'filePath', 'path', 'absolute_path') if k in names)
            folder = _FOLDER.search(json.dumps(request))
            return found, {key: os.path.join(folder[1] if folder else '', path), 'content': text}
        shell = f"cat > {path} <<'END_OF_TEXT'\n{text.rstrip()}\nEND_OF_TEXT"
    if shell:
        found = next((offered[name] for name in _SHELLS if name in offered), None)
        if found is None:
            raise ValueError(f'no tool for commands among {sorted(offered)}')
        names = found.schema.get('properties', {})
        key = 'cmd' if 'cmd' in names else 'command'
        listed = names.get(key, {}).get('type') == 'array'
        arguments = {key: ['bash', '-lc', shell] if listed else shell}
        if 'description' in names:
            arguments['description'] = 'a step of the script'
        return found, arguments
    return None


def _id(prefix: str) -> str:
    return f'{prefix}_{next(_NUMBERS):06d}'


# -- messages ---------------------------------------------------------------------------------


def _messages_tools(request: dict) -> list[Tool]:
    tools = request.get('tools') or []
    return [Tool(t['name'], t.get('input_schema') or {}) for t in tools if 'name' in t]


def _messages_position(request: dict) -> int:
    count = 0
    for message in reversed(request['messages']):
        if message['role'] != 'user':
            continue
        content = message['content']
        kinds = [b.get('type') for b in content] if isinstance(content, list) else ['text']
        if 'tool_result' not in kinds:
            break
        count += kinds.count('tool_result')
    return count


def _messages_whole(request: dict, step: Step, call: tuple[Tool, Any] | None) -> dict:
    content: list[dict] = []
    thinks = (request.get('thinking') or {}).get('type') not in (None, 'disabled')
    if step.think and thinks:
        content.append({'type': 'thinking', 'thinking': step.think, 'signature': 'c2lnbmVk'})
    if step.say or not call:
        content.append({'type': 'text', 'text': step.say or 'nothing'})
    if call:
        name, said = call[0].name, call[1]
        content.append({'type': 'tool_use', 'id': _id('toolu'), 'name': name, 'input': said})
    tokens = step.tokens
    usage = {
        'input_tokens': tokens.fresh,
        'cache_read_input_tokens': tokens.cached,
        'cache_creation_input_tokens': tokens.written,
        'output_tokens': tokens.output,
        'output_tokens_details': {'thinking_tokens': tokens.reasoning},
    }
    return {
        'id': _id('msg'),
        'type': 'message',
        'role': 'assistant',
        'model': request.get('model'),
        'content': content,
        'stop_reason': 'tool_use' if call else 'end_turn',
        'stop_sequence': None,
        'usage': usage,
    }


_EMPTY = {
    'text': {'text': ''},
    'thinking': {'thinking': '', 'signature': ''},
    'tool_use': {'input': {}},
}


def _messages_deltas(block: dict) -> list[dict]:
    if block['type'] == 'text':
        return [{'type': 'text_delta', 'text': block['text']}]
    if block['type'] == 'thinking':
        return [
            {'type': 'thinking_delta', 'thinking': block['thinking']},
            {'type': 'signature_delta', 'signature': block['signature']},
        ]
    return [{'type': 'input_json_delta', 'partial_json': json.dumps(block['input'])}]


def _messages_stream(whole: dict) -> Iterator[tuple[str, dict | str]]:
    def event(kind: str, **data: object) -> tuple[str, dict]:
        return kind, {'type': kind, **data}

    begun = {**whole['usage'], 'output_tokens': 1}
    started = {**whole, 'content': [], 'stop_reason': None, 'usage': begun}
    yield event('message_start', message=started)
    for index, block in enumerate(whole['content']):
        empty = {**block, **_EMPTY[block['type']]}
        yield event('content_block_start', index=index, content_block=empty)
        for delta in _messages_deltas(block):
            yield event('content_block_delta', index=index, delta=delta)
        yield event('content_block_stop', index=index)
    delta = {'stop_reason': whole['stop_reason'], 'stop_sequence': None}
    yield event('message_delta', delta=delta, usage=whole['usage'])
    yield event('message_stop')


# -- responses --------------------------------------------------------------------------------


def _responses_tools(request: dict) -> list[Tool]:
    found: list[Tool] = []
    waiting = list(request.get('tools') or [])
    while waiting:
        tool = waiting.pop(0)
        if tool.get('type') == 'namespace':
            waiting += tool.get('tools') or []
            continue
        name = tool.get('name') or tool.get('type', '')
        found.append(Tool(name, tool.get('parameters') or {}, tool.get('type') == 'custom'))
    return found


def _responses_position(request: dict) -> int:
    count = 0
    items = request.get('input')
    for item in reversed(items if isinstance(items, list) else []):
        if str(item.get('type', '')).endswith('_call_output'):
            count += 1
        elif item.get('role') == 'user':
            break
    return count


def _responses_whole(request: dict, step: Step, call: tuple[Tool, Any] | None) -> dict:
    output: list[dict] = []
    if step.think:
        summary = [{'type': 'summary_text', 'text': step.think}]
        reasoning = {'type': 'reasoning', 'id': _id('rs'), 'summary': summary}
        output.append({**reasoning, 'encrypted_content': 'c2VjcmV0'})
    if step.say or not call:
        text = {'type': 'output_text', 'text': step.say or 'nothing', 'annotations': []}
        message = {'type': 'message', 'id': _id('msg'), 'role': 'assistant', 'content': [text]}
        output.append({**message, 'status': 'completed'})
    if call:
        tool, said = call
        text = said if isinstance(said, str) else json.dumps(said)
        kind = 'custom_tool_call' if tool.custom else 'function_call'
        key = 'input' if tool.custom else 'arguments'
        item = {'type': kind, 'id': _id('fc'), 'call_id': _id('call'), 'name': tool.name}
        output.append({**item, key: text, 'status': 'completed'})
    tokens = step.tokens
    usage = {
        'input_tokens': tokens.fresh + tokens.cached,
        'input_tokens_details': {'cached_tokens': tokens.cached},
        'output_tokens': tokens.output,
        'output_tokens_details': {'reasoning_tokens': tokens.reasoning},
        'total_tokens': tokens.fresh + tokens.cached + tokens.output,
    }
    return {
        'id': _id('resp'),
        'object': 'response',
        'created_at': 1_700_000_000,
        'status': 'completed',
        'model': request.get('model'),
        'output': output,
        'usage': usage,
        'error': None,
        'incomplete_details': None,
    }


def _responses_stream(whole: dict) -> Iterator[tuple[str, dict | str]]:
    numbers = itertools.count()

    def event(kind: str, **data: object) -> tuple[str, dict]:
        return kind, {'type': kind, 'sequence_number': next(numbers), **data}

    begun = {**whole, 'status': 'in_progress', 'output': [], 'usage': None}
    yield event('response.created', response=begun)
    for index, item in enumerate(whole['output']):
        yield event('response.output_item.added', output_index=index, item=item)
        if item['type'] == 'message':
            where = {'item_id': item['id'], 'output_index': index, 'content_index': 0}
            text = item['content'][0]['text']
            yield event('response.output_text.delta', **where, delta=text)
        yield event('response.output_item.done', output_index=index, item=item)
    yield event('response.completed', response=whole)


# -- chat completions -------------------------------------------------------------------------


def _chat_tools(request: dict) -> list[Tool]:
    functions = [t['function'] for t in request.get('tools') or [] if 'function' in t]
    return [Tool(f['name'], f.get('parameters') or {}) for f in functions]


def _chat_position(request: dict) -> int:
    count = 0
    for message in reversed(request['messages']):
        if message['role'] == 'tool':
            count += 1
        elif message['role'] == 'user':
            break
    return count


def _chat_whole(request: dict, step: Step, call: tuple[Tool, Any] | None) -> dict:
    message: dict = {'role': 'assistant', 'content': step.say or (None if call else 'nothing')}
    if step.think:
        message['reasoning_content'] = step.think
    if call:
        function = {'name': call[0].name, 'arguments': json.dumps(call[1])}
        tool_call = {'index': 0, 'id': _id('call'), 'type': 'function', 'function': function}
        message['tool_calls'] = [tool_call]
    tokens = step.tokens
    usage = {
        'prompt_tokens': tokens.fresh + tokens.cached,
        'completion_tokens': tokens.output,
        'total_tokens': tokens.fresh + tokens.cached + tokens.output,
        'prompt_tokens_details': {'cached_tokens': tokens.cached},
        'completion_tokens_details': {'reasoning_tokens': tokens.reasoning},
    }
    reason = 'tool_calls' if call else 'stop'
    return {
        'id': _id('chatcmpl'),
        'object': 'chat.completion',
        'created': 1_700_000_000,
        'model': request.get('model'),
        'choices': [{'index': 0, 'message': message, 'finish_reason': reason}],
        'usage': usage,
        'asked_usage': bool((request.get('stream_options') or {}).get('include_usage')),
    }


def _chat_stream(whole: dict) -> Iterator[tuple[str, dict | str]]:
    choice = whole['choices'][0]
    base = {key: whole[key] for key in ('id', 'created', 'model')}
    base['object'] = 'chat.completion.chunk'

    def chunk(delta: dict, reason: str | None) -> tuple[str, dict]:
        return '', {**base, 'choices': [{'index': 0, 'delta': delta, 'finish_reason': reason}]}

    yield chunk(choice['message'], None)
    yield chunk({}, choice['finish_reason'])
    if whole['asked_usage']:
        yield '', {**base, 'choices': [], 'usage': whole['usage']}
    yield '', '[DONE]'


WIRES = {
    '/messages': Wire(
        'messages',
        _messages_tools,
        _messages_position,
        _messages_whole,
        _messages_stream,
        cached_writes=True,
    ),
    '/responses': Wire(
        'responses', _responses_tools, _responses_position, _responses_whole, _responses_stream
    ),
    '/chat/completions': Wire('chat', _chat_tools, _chat_position, _chat_whole, _chat_stream),
}
