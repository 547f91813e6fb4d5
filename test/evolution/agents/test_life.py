"""How the station starts lives: the adapter's command and variables, wrapped."""

from __future__ import annotations

from pathlib import Path
import time

from enpire_nodes.evolution.agents.builtin import Builtin
from enpire_nodes.evolution.agents.interface import AgentEvent, AgentTask
from enpire_nodes.evolution.agents.life import launcher
from enpire_nodes.evolution.agents.prompts import first, resumed


class Program(Builtin):
    """Prints where it is, and its variables."""

    def argv(self, task: AgentTask) -> list[str]:
        return ['/usr/bin/env']

    def environment(self, task: AgentTask, base_url: str) -> dict[str, str]:
        return {'MODEL_AT': base_url, 'ASKED': task.prompt}


def test_a_life_gets_what_it_was_wrapped_in_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv('SECRET', 'of the station')
    events: list[AgentEvent] = []
    make = launcher(
        Program(),
        base_url='http://127.0.0.1:1',
        log=tmp_path / 'log',
        wrap=lambda argv, environment: (argv, {**environment, 'WRAPPED': '1'}),
        mark='test',
    )
    life = make(AgentTask('go', '', tmp_path, Path('/nowhere')), events.append)
    life.start()
    deadline = time.monotonic() + 40.0
    while life.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    names = {event.words.split('=')[0] for event in events}
    assert names - {'PWD', 'OLDPWD', 'SHLVL', '_'} == {
        'MODEL_AT', 'ASKED', 'WRAPPED', 'ENPIRE_AGENT_LIFE',
    }  # fmt: skip
    assert life.poll() == 0


def test_prompts_are_bounded():
    facts = 'fact ' * 100_000
    assert len(first(facts)) < 10_000
    assert len(resumed(facts, 'why')) < 10_000


def test_a_resumed_prompt_begins_with_facts():
    prompt = resumed('job 7: 18 of 20', 'You were started again.')
    assert prompt.index('job 7') < prompt.index('You were started again.')
    assert prompt.startswith('Facts')
