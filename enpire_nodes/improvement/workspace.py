"""A research workspace: a Git repository with the policy and training code of one task.

It is made from the template of this package, which is then nobody's but the researcher's: every
file in it may be edited, and the station judges what comes of it.
"""

from __future__ import annotations

from dataclasses import dataclass
import json
from pathlib import Path
import shutil
import subprocess

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import write_json
from enpire_nodes.improvement.crops import task_crops
from enpire_nodes.tasks.eye import Crop

_TEMPLATE = Path(__file__).with_name('template')
_LOCAL = '.enpire'
_GIT_DEADLINE = 30.0  # s
_LEAVE = shutil.ignore_patterns('__pycache__', '*.pyc', '.ruff_cache', '.pytest_cache')


def write_template(path: Path, *, task: str, station: str) -> None:
    """Write the files that a new workspace has under Git.

    :param path: of the folder; made if it is not there.
    :param station: as the programme text names it.
    :raises OSError: they cannot be written.
    """
    shutil.copytree(_TEMPLATE, path, dirs_exist_ok=True, ignore=_LEAVE)
    (path / '.gitignore').write_text(f'{_LOCAL}/\n__pycache__/\n', 'utf-8')
    programme = path / 'PROGRAM.md'
    text = programme.read_text('utf-8').replace('{task}', task)
    programme.write_text(text.replace('{station}', station), 'utf-8')


@dataclass(frozen=True, slots=True)
class Workspace:
    """The layout of a workspace at ``path``."""

    path: Path

    @property
    def policy(self) -> Path:
        """The file with the policy that the station runs."""
        return self.path / 'policy.py'

    @property
    def recipe(self) -> Path:
        """The settings."""
        return self.path / 'recipe.yaml'

    @property
    def local(self) -> Path:
        """The folder that Git does not keep."""
        return self.path / _LOCAL

    @property
    def replay(self) -> Path:
        """Recorded trials."""
        return self.local / 'replay'

    @property
    def checkpoints(self) -> Path:
        """Weights and learner states."""
        return self.local / 'checkpoints'

    @property
    def curves(self) -> Path:
        """Curves of training."""
        return self.local / 'curves'

    @property
    def current(self) -> Path:
        """The link to the weights that the station runs."""
        return self.checkpoints / 'current.safetensors'

    def runs(self) -> list[Path]:
        """Return the run directories that it learns from."""
        return [Path(run) for run in self._about()['runs']]

    @property
    def task(self) -> str:
        """The task that it is for."""
        return str(self._about().get('task', ''))

    @property
    def station(self) -> str:
        """The namespace of the station that runs its trials."""
        return str(self._about().get('station', '/station_1'))

    def crops(self, size: int) -> dict[str, Crop]:
        """Return what of each camera's pictures a policy is shown, as ``size`` px squares."""
        return task_crops(self.task, str(self._about()['station_file']), size)

    @classmethod
    def find(cls, place: Path) -> Workspace:
        """Return the workspace that a folder is in.

        :raises StationError: IMPROVEMENT_WORKSPACE_UNUSABLE, it is in none.
        """
        place = place.absolute()
        for folder in (place, *place.parents):
            if (folder / _LOCAL / 'workspace.json').is_file():
                return cls(folder)
        raise StationError(
            ErrorCode.IMPROVEMENT_WORKSPACE_UNUSABLE,
            f'{place} is in no research workspace; make one with `enpire workspace new DIR`, '
            'and work in it',
        )

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        task: str,
        runs: list[Path],
        station: str,
        station_file: str = 'stations/simulated.yaml',
    ) -> Workspace:
        """Make a workspace from the template, as a Git repository with one commit.

        :param path: must not exist, or be empty.
        :param runs: run directories of stations to learn from; they may not exist yet.
        :param station_file: with the cameras of the station, for policies that see pictures.
        :raises StationError: IMPROVEMENT_WORKSPACE_UNUSABLE, the folder is in the way, or Git
            fails.
        """
        path = path.absolute()
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise StationError(
                ErrorCode.IMPROVEMENT_WORKSPACE_UNUSABLE,
                f'{path} is in the way; name a folder that is new',
            )
        workspace = cls(path)
        try:
            write_template(path, task=task, station=station)
            workspace.local.mkdir()
            about = {
                'task': task,
                'station': station,
                'station_file': station_file,
                'runs': [str(run) for run in runs],
            }
            write_json(workspace.local / 'workspace.json', about)
        except OSError as error:
            raise StationError(
                ErrorCode.IMPROVEMENT_WORKSPACE_UNUSABLE, f'{path} cannot be written: {error}'
            ) from error
        workspace._git('init', '--quiet', '--initial-branch', 'main')
        workspace._git('add', '.')
        workspace._git('commit', '--quiet', '--message', f'Start on {task} from the template')
        return workspace

    def commit(self) -> str:
        """Return the commit of the code, with ``-dirty`` when files differ from it."""
        head = self._git('rev-parse', 'HEAD')
        changed = self._git('status', '--porcelain', '--untracked-files=normal')
        return f'{head}-dirty' if changed else head

    def subject(self) -> str:
        """Return the first line of the newest commit: the idea under test."""
        return self._git('log', '-1', '--format=%s')

    def _about(self) -> dict:
        path = self.local / 'workspace.json'
        try:
            about = json.loads(path.read_text('utf-8'))
            return {'runs': [], **about, 'station_file': str(about['station_file'])}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StationError(
                ErrorCode.IMPROVEMENT_WORKSPACE_UNUSABLE,
                f'{path} cannot be read ({type(error).__name__}: {error}); make a new workspace, '
                "and copy this one's files into it",
            ) from error

    def _git(self, *arguments: str) -> str:
        # an unattended station has nobody who could set a name, or answer a hook
        command = [
            'git', '-C', str(self.path), '-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=',
            '-c', 'commit.gpgSign=false', *arguments,
        ]  # fmt: skip
        if arguments[0] == 'commit' and not self._has_name():
            command[3:3] = ['-c', 'user.name=enpire', '-c', 'user.email=enpire@localhost']
        return self._run(command).stdout.strip()

    def _has_name(self) -> bool:
        asked = ['git', '-C', str(self.path), 'config']
        return all(
            subprocess.run([*asked, key], capture_output=True, timeout=_GIT_DEADLINE).returncode
            == 0
            for key in ('user.name', 'user.email')
        )

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                command, check=True, capture_output=True, text=True, timeout=_GIT_DEADLINE
            )
        except (OSError, subprocess.SubprocessError) as error:
            words = getattr(error, 'stderr', '') or str(error)
            raise StationError(
                ErrorCode.IMPROVEMENT_WORKSPACE_UNUSABLE,
                f'Git fails in {self.path}: {words.strip()}',
            ) from error
