"""A station's folders as an attacker finds them, and runs with and without the walls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import os
from pathlib import Path
import subprocess

from enpire_nodes.sandbox.bubblewrap import command
from enpire_nodes.sandbox.profile import Profile

LIMIT = 60.0  # s; none of it takes 1 s on an idle machine
SECRET = 'sk-the-secret'
TRUE = 'the judge says what is so\n'


@dataclass(frozen=True)
class World:
    """What lies on a station's disk; ``profile`` is what its agent gets of it."""

    root: Path

    @property
    def clone(self) -> Path:
        return self.root / 'run' / 'research' / 'agent' / 'workspace'

    @property
    def frozen(self) -> Path:
        return self.clone / 'judge'

    @property
    def judge(self) -> Path:
        return self.frozen / 'verify.py'

    @property
    def home(self) -> Path:
        return self.root / 'run' / 'research' / 'agent' / 'home'

    @property
    def secrets(self) -> tuple[Path, ...]:
        """Every file that holds the secret; none of them is any of the agent's business."""
        return (
            self.root / 'run' / 'ledger.sqlite',
            self.root / 'run' / 'audits.jsonl',
            self.root / 'run' / 'research' / 'journal.jsonl',
            self.root / 'run' / 'research' / 'hub.git' / 'config',
            self.root / 'keys' / 'station.key',
            self.root / 'keys' / 'model.key',
            self.root / 'station_2' / 'ledger.sqlite',
        )

    @property
    def profile(self) -> Profile:
        return Profile(workdir=self.clone, writable=(self.clone, self.home), frozen=(self.frozen,))

    @property
    def harmed(self) -> bool:
        """Whether the judge is no longer the one that was frozen."""
        return not self.judge.is_file() or self.judge.read_text('utf-8') != TRUE


def run(argv: Sequence[str], **options: object) -> str:
    """Run a command; return all that it printed."""
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors='replace',
        timeout=LIMIT,
        check=False,
        **options,
    )
    return done.stdout


def shut(profile: Profile, *argv: str, **options: object) -> str:
    """Run a command in the sandbox; return all that it printed."""
    return run(command(profile, argv), **options)


def weak(profile: Profile, *argv: str) -> str:
    """Run it in the sandbox as it would be without its capabilities dropped."""
    made = command(profile, argv)
    made[made.index('--cap-drop')] = '--cap-add'
    made[made.index('--uid') + 1] = made[made.index('--gid') + 1] = '0'
    made.remove('--disable-userns')
    return run(made)


def script(text: str, world: World) -> list[str]:
    """Make a shell script of an attack; it ends by saying that it came to its end."""
    names = {'judge': world.judge, 'frozen': world.frozen, 'clone': world.clone}
    filled = text.format(**{name: str(path) for name, path in names.items()})
    return ['/bin/sh', '-c', f'cd {world.clone}\n{filled}\necho came to its end']


IS_ROOT = os.geteuid() == 0
