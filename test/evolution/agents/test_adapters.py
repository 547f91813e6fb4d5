"""Commands, settings and environments of the adapters, and how they are found."""

from __future__ import annotations

import json
from pathlib import Path
import stat
import sys

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.agents import programs, registry
from enpire_nodes.evolution.agents.claude import Claude
from enpire_nodes.evolution.agents.codex import Codex, native
from enpire_nodes.evolution.agents.interface import AgentTask
from enpire_nodes.evolution.agents.kimi import Kimi
from enpire_nodes.evolution.agents.registry import adapter, agent_names

URL = 'http://127.0.0.1:8080'


def a_task(tmp_path: Path, **changes: object) -> AgentTask:
    given = {'prompt': 'go', 'model': 'm', 'session': 'S1', 'resume': False, 'seed': 3, **changes}
    return AgentTask(workdir=tmp_path / 'clone', home=tmp_path / 'home', **given)


def external(tmp_path: Path) -> list:
    program = tmp_path / 'program'
    return [Claude(program), Codex(program), Kimi(program, tmp_path / 'node')]


def test_names():
    assert set(agent_names()) >= {'builtin', 'claude', 'codex', 'kimi'}


@pytest.mark.parametrize('name', ['builtin', 'claude', 'codex', 'kimi'])
def test_found_by_name(name):
    assert adapter(name).name == name
    assert adapter(name).external == (name != 'builtin')


@pytest.mark.parametrize('name', ['', 'nobody', 'acp:', 'acp:"'])
def test_unknown(name):
    with pytest.raises(StationError) as caught:
        adapter(name)
    assert caught.value.code is ErrorCode.SUPERVISOR_AGENT_UNKNOWN


def test_the_built_in_one_is_started_with_its_seed(tmp_path):
    argv = adapter('builtin').argv(a_task(tmp_path))
    assert argv == [sys.executable, '-m', 'enpire_nodes.evolution.researcher', '--seed', '3']


def test_no_environment_has_a_key(tmp_path, monkeypatch):
    for name in ('ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'MOONSHOT_API_KEY'):
        monkeypatch.setenv(name, 'secret')
    for agent in (*external(tmp_path), adapter('builtin'), adapter('acp:true')):
        agent.prepare(tmp_path / 'home', model='m', base_url=URL)
        assert 'secret' not in str(agent.environment(a_task(tmp_path), URL))
    for path in (tmp_path / 'home').rglob('*'):
        assert path.is_dir() or 'secret' not in path.read_text()


def test_each_asks_the_model_at_the_proxy(tmp_path):
    for agent in external(tmp_path):
        home = tmp_path / agent.name
        agent.prepare(home, model='m', base_url=URL)
        said = str(agent.environment(a_task(tmp_path), URL))
        said += ''.join(path.read_text() for path in home.rglob('*') if path.is_file())
        assert URL in said


@pytest.mark.parametrize('model', ['m', 'a "model" \\ of/two', ''])
def test_settings_can_be_read(tmp_path, model):
    tomllib = pytest.importorskip('tomllib')
    for agent, folder in ((Codex(tmp_path), '.codex'), (Kimi(tmp_path, tmp_path), '.kimi-code')):
        for _ in range(2):
            agent.prepare(tmp_path, model=model, base_url=URL)
        settings = tomllib.loads((tmp_path / folder / 'config.toml').read_text())
        named = settings.get('model_providers') or settings['providers']
        assert list(named) == ['station']
        assert named['station']['base_url'] == f'{URL}/v1'
        chosen = settings.get('models', {}).get('station', settings).get('model')
        assert chosen == (model or (None if agent.name == 'codex' else 'kimi'))


def test_what_claude_has_noted_is_kept(tmp_path):
    claude = Claude(tmp_path)
    claude.prepare(tmp_path, model='m', base_url=URL)
    state = tmp_path / '.claude.json'
    assert json.loads(state.read_text())['hasCompletedOnboarding']
    state.write_text('{"its": "own"}')
    claude.prepare(tmp_path, model='m', base_url=URL)
    assert state.read_text() == '{"its": "own"}'


def test_an_agent_of_another_package_is_found(monkeypatch):
    class Entry:
        name = 'theirs'

        def load(self):
            return Kimi

    monkeypatch.setattr(registry, 'entry_points', lambda group: [Entry()])
    assert isinstance(adapter('theirs'), Kimi)
    assert agent_names() == ['builtin', 'claude', 'codex', 'kimi', 'theirs']


def test_claude_goes_on_with_the_session_that_was_chosen(tmp_path):
    claude = Claude(tmp_path)
    assert claude.new_session() != claude.new_session()
    first, again = (claude.argv(a_task(tmp_path, resume=resume)) for resume in (False, True))
    assert first[first.index('--session-id') + 1] == 'S1'
    assert again[again.index('--resume') + 1] == 'S1'
    assert '--session-id' not in again


def test_codex_goes_on_with_its_thread(tmp_path):
    argv = Codex(tmp_path).argv(a_task(tmp_path, resume=True))
    assert argv[1:4] == ['exec', 'resume', 'S1']
    assert argv[-1] == 'go'


def test_kimi_is_never_started_without_a_prompt(tmp_path):
    kimi = Kimi(tmp_path / 'kimi', tmp_path / 'node')
    with pytest.raises(ValueError, match='prompt'):
        kimi.argv(a_task(tmp_path, prompt=' '))
    argv = kimi.argv(a_task(tmp_path, resume=True))
    assert argv[argv.index('-p') + 1] == 'go'
    assert argv[argv.index('-S') + 1] == 'S1'


def test_kimi_finds_the_latest_session_of_the_folder(tmp_path):
    kimi, home = Kimi(tmp_path, tmp_path), tmp_path / 'home'
    assert kimi.session_of(home, tmp_path) == ''
    folder = home / '.kimi-code'
    folder.mkdir(parents=True)
    entries = [('a', tmp_path), ('b', tmp_path), ('c', '/elsewhere')]
    lines = [json.dumps({'sessionId': name, 'workDir': str(at)}) for name, at in entries]
    (folder / 'session_index.jsonl').write_text('\n'.join([*lines, '{"sessionId": "cut']))
    assert kimi.session_of(home, tmp_path) == 'b'


def test_the_native_codex_is_taken(tmp_path):
    launcher = tmp_path / '@openai' / 'codex' / 'bin' / 'codex.js'
    binary = tmp_path / '@openai' / 'codex-linux-x64' / 'vendor' / 'x86' / 'bin' / 'codex'
    for path in (launcher, binary):
        path.parent.mkdir(parents=True)
        path.touch()
    assert native(launcher) == binary
    assert native(binary) == binary


def test_all_packages_are_brought_in(tmp_path):
    inner = tmp_path / 'node_modules' / 'a' / 'node_modules' / 'b' / 'main.js'
    assert programs.package_of(inner) == tmp_path / 'node_modules'
    assert programs.package_of(tmp_path / 'bin' / 'a') == tmp_path / 'bin'


def test_a_program_that_is_missing(monkeypatch):
    monkeypatch.setenv('ENPIRE_CLAUDE', '/nowhere/claude')
    with pytest.raises(StationError, match='npm install') as caught:
        _ = Claude().program
    assert caught.value.code is ErrorCode.SUPERVISOR_AGENT_FAILED


@pytest.mark.parametrize(
    ('said', 'version', 'warned'),
    [('codex-cli 1.2.3', '1.2.3', False), ('9.9.9 (Agent)', '9.9.9', True), ('hm', '', True)],
)
def test_versions(tmp_path, said, version, warned):
    program = tmp_path / 'agent'
    program.write_text(f'#!/bin/sh\necho "{said}"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    found, warning = programs.probe([str(program), '--version'], '1.2.3')
    assert found == version
    assert bool(warning) == warned


def test_a_version_that_cannot_be_asked_for():
    assert 'does not tell' in programs.probe(['/nowhere/agent'], '1.2.3')[1]
