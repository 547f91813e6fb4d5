"""Hold our datasets against the real ``lerobot``: ``make test-lerobot``.

The package wants a newer Python and other versions than ours, so that it has an environment of
its own, ``build/lerobot-venv``. Nothing is fetched from a hub of datasets: trials are made up
here, with pictures and without.

1. They are exported, and loaded with ``LeRobotDataset``; see ``check_lerobot.py`` for what must
   hold. ``lerobot`` writes the same frames itself, and both must agree in every value.
2. Copies that were spoiled on purpose must be noticed, each for its own fault.
3. The export, and what ``lerobot`` wrote itself, are imported again.
"""

import argparse
import hashlib
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
import time
import venv

import numpy as np

from enpire_nodes.improvement.lerobot.export import export_trials
from enpire_nodes.improvement.lerobot.importing import import_trials
from enpire_nodes.improvement.recorded import RecordedAttempt, RecordedTrial

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / 'build'
REQUIREMENTS = ROOT / 'requirements' / 'lerobot-check.txt'
UV = 'uv==0.13.9'
SIZES = {'tcp': 3, 'target': 3, 'force': 3, 'elapsed': 1}
INSTALL_SECONDS, CHECK_SECONDS = 3600, 600


def main() -> int:
    """Make the environment and the datasets, and check them; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--python', help='a Python 3.12 or newer, for lerobot')
    arguments = parser.parse_args()
    python = environment(arguments.python)
    folder = BUILD / 'lerobot-check'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    trials = {'plain': some_trials(pictures=False), 'pictures': some_trials(pictures=True)}
    plan = []
    for name, made in trials.items():
        export_trials(made, folder / name, task='insert the pin')
        np.savez(folder / f'{name}.npz', **expected(made))
        plan.append({'dataset': name, 'expected': f'{name}.npz', 'remade': f'{name}_remade'})
    for spoil, notice in (
        (negate_actions, 'action'),
        (change_statistics, 'action std'),
        (move_an_episode, 'observation.state'),
        (swap_pictures, 'observation.images.left'),
    ):
        name = spoil.__name__
        shutil.copytree(folder / 'pictures', folder / name)
        spoil(folder / name)
        plan.append({'dataset': name, 'expected': 'pictures.npz', 'notice': notice})
    (folder / 'plan.json').write_text(json.dumps(plan))
    quiet = {'HF_DATASETS_DISABLE_PROGRESS_BARS': '1', 'HF_HOME': str(folder / 'hub')}
    offline = {'HF_HUB_OFFLINE': '1', 'HF_DATASETS_OFFLINE': '1', **quiet}
    checked = subprocess.run(
        [python, Path(__file__).with_name('check_lerobot.py'), folder / 'plan.json'],
        env={key: value for key, value in os.environ.items() if key != 'PYTHONPATH'} | offline,
        timeout=CHECK_SECONDS,
        check=False,
    )
    if checked.returncode:
        print('test-lerobot: FAILED')
        return 1
    for name, made in trials.items():
        compare(made, list(import_trials(folder / name).trials), exact=True)
        found = import_trials(folder / f'{name}_remade')
        compare(demonstrations(made), list(found.trials), exact=False)
        print(f'ok: {name} imported, and what lerobot wrote; ' + '; '.join(found.notes))
    print(f'test-lerobot: passed, in {time.monotonic() - began:.0f} s after the installation')
    return 0


def environment(wanted: str | None) -> Path:
    """Return the Python of the environment of ``lerobot``, which is made when it is missing."""
    folder, tools = BUILD / 'lerobot-venv', BUILD / 'lerobot-uv'
    python, mark = folder / 'bin' / 'python', folder / 'enpire-made-from'
    made_from = hashlib.sha256(REQUIREMENTS.read_bytes() + UV.encode()).hexdigest()
    if mark.is_file() and mark.read_text() == made_from:
        return python
    began = time.monotonic()
    print('test-lerobot: installing lerobot ...', flush=True)
    BUILD.mkdir(exist_ok=True)
    venv.create(tools, with_pip=True, symlinks=True)
    run(tools / 'bin' / 'python', '-m', 'pip', 'install', '-q', UV)
    uv = tools / 'bin' / 'uv'
    shutil.rmtree(folder, ignore_errors=True)
    # a version alone lets uv fetch an interpreter
    run(uv, 'venv', '-q', '--python', wanted or newer_python() or '3.12', folder)
    install = (uv, 'pip', 'install', '-q', '--python', python, '-r', REQUIREMENTS)
    try:
        run(*install, '--torch-backend', 'cpu')
    except subprocess.CalledProcessError:
        print('test-lerobot: no torch without CUDA can be had here; trying that with', flush=True)
        run(*install)
    mark.write_text(made_from)
    used = sum(path.lstat().st_size for path in folder.rglob('*') if path.is_file())
    print(f'test-lerobot: installed in {time.monotonic() - began:.0f} s, {used / 1e9:.1f} GB')
    return python


def newer_python() -> str | None:
    """Find a Python that lerobot can use, on the path or among those of pyenv."""
    pyenv = Path(os.environ.get('PYENV_ROOT', Path.home() / '.pyenv'))
    for minor in (12, 13):
        for name in (f'python3.{minor}', *pyenv.glob(f'versions/3.{minor}.*/bin/python')):
            try:
                code = f'import sys, venv; sys.exit(sys.version_info[:2] != (3, {minor}))'
                subprocess.run([name, '-c', code], check=True, capture_output=True, timeout=60)
            except (OSError, subprocess.SubprocessError):
                continue
            return str(name)
    return None


def run(*command: object) -> None:
    """Run a step of the installation."""
    subprocess.run([str(word) for word in command], check=True, timeout=INSTALL_SECONDS)


def some_trials(*, pictures: bool) -> list[RecordedTrial]:
    """Make up trials: one of two attempts, one aborted, one that ended before the policy began."""
    rng = np.random.default_rng(7)

    def attempt(index: int, steps: int, verdict: str, execution: str) -> RecordedAttempt:
        rows = steps + 1
        features = {
            name: rng.normal(size=(rows, size)).astype(np.float32) for name, size in SIZES.items()
        }
        features['target'] = np.cumsum(features['target'] * 1e-3, axis=0, dtype=np.float32)
        shown = rng.integers(0, 256, (2, rows, 32, 32, 3), dtype=np.uint8)
        return RecordedAttempt(
            index=index,
            stamps=1e6 + np.cumsum(rng.uniform(0.03, 0.04, rows)),
            features=features,
            images=dict(zip(('left', 'wrist'), shown)) if pictures else {},
            verdict=verdict,
            execution=execution,
            peak_force=float(rng.uniform(1, 9)),
            depth=0.01,
        )

    failure = attempt(1, 50, 'failure', 'timed_out')
    success = attempt(2, 35, 'success', 'completed')
    aborted = attempt(1, 12, 'unset', 'aborted')
    common = {'controller': 'teleop', 'requester': 'bench', 'operator_seconds': 1.5}
    return [
        RecordedTrial('trial_0', (failure, success), 'success', robot_seconds=9.25, **common),
        RecordedTrial('trial_1', (), 'faulted', **common),
        RecordedTrial('trial_2', (aborted,), 'faulted', explored=True, commit='c0ffee', **common),
    ]


def expected(trials: list[RecordedTrial]) -> dict[str, np.ndarray]:
    """Say what must be found, by episode, without the code that exports."""
    found = {}
    attempts = [attempt for trial in trials for attempt in trial.attempts]
    for episode, attempt in enumerate(attempts):
        features, n = attempt.features, attempt.steps
        names = ('elapsed', 'force', 'target', 'tcp')
        found[f'{episode}/observation.state'] = np.hstack([features[name][:n] for name in names])
        found[f'{episode}/action'] = features['target'][1:] - features['target'][:-1]
        found[f'{episode}/enpire.stamp'] = attempt.stamps[:n]
        ended = np.eye(1, n, n - 1, dtype=bool)[0]
        found[f'{episode}/next.done'] = ended
        found[f'{episode}/next.success'] = ended & (attempt.verdict == 'success')
        found[f'{episode}/next.reward'] = (ended & (attempt.verdict == 'success')).astype('f4')
        found[f'{episode}/next.truncated'] = ended & (attempt.execution != 'completed')
        for camera, images in attempt.images.items():
            found[f'{episode}/observation.images.{camera}'] = images[:n]
    return found


def negate_actions(dataset: Path) -> None:
    """Turn the actions around."""
    import pyarrow as pa

    def turned(table: pa.Table) -> pa.Table:
        kind = table.schema.field('action').type
        values = [[-x for x in row] for row in table['action'].to_pylist()]
        place = table.schema.get_field_index('action')
        return table.set_column(place, 'action', pa.array(values, kind))

    _rewrite(dataset / 'data/chunk-000/file-000.parquet', turned)


def change_statistics(dataset: Path) -> None:
    """Give one deviation as that of the sample."""
    path = dataset / 'meta/stats.json'
    stats = json.loads(path.read_text())
    stats['action']['std'] = [value * 1.01 for value in stats['action']['std']]
    path.write_text(json.dumps(stats))


def move_an_episode(dataset: Path) -> None:
    """Let the second episode begin one frame early."""
    import pyarrow as pa

    def moved(table: pa.Table) -> pa.Table:
        starts = table['dataset_from_index'].to_pylist()
        starts[1] -= 1
        place = table.schema.get_field_index('dataset_from_index')
        return table.set_column(place, 'dataset_from_index', pa.array(starts, pa.int64()))

    _rewrite(dataset / 'meta/episodes/chunk-000/file-000.parquet', moved)


def swap_pictures(dataset: Path) -> None:
    """Take one camera for the other."""
    left, wrist = 'observation.images.left', 'observation.images.wrist'
    other = {left: wrist, wrist: left}
    _rewrite(
        dataset / 'data/chunk-000/file-000.parquet',
        lambda table: table.rename_columns([other.get(n, n) for n in table.column_names]),
    )


def _rewrite(path: Path, change: object) -> None:
    import pyarrow.parquet as pq

    pq.write_table(change(pq.read_table(path)), path)


def demonstrations(trials: list[RecordedTrial]) -> list[RecordedTrial]:
    """Say what a dataset without our own file must become."""
    found = []
    for attempt in (attempt for trial in trials for attempt in trial.attempts):
        n = attempt.steps
        features = {
            name: np.concatenate([rows[:n], rows[n - 1 : n]])
            for name, rows in attempt.features.items()
        }
        features['target'] = attempt.features['target']
        shown = {
            camera: np.concatenate([rows[:n], rows[n - 1 : n]])
            for camera, rows in attempt.images.items()
        }
        verdict = 'success' if attempt.success else 'failure'
        stamps = (np.arange(n + 1) / 30).astype(np.float32)
        ended = 'completed' if attempt.execution == 'completed' else 'timed_out'
        learned = RecordedAttempt(1, stamps, features, shown, verdict, ended)
        found.append(RecordedTrial('', (learned,), verdict, controller='lerobot'))
    return found


def compare(wanted: list[RecordedTrial], found: list[RecordedTrial], *, exact: bool) -> None:
    """Raise AssertionError unless what was imported is what it should be."""
    assert len(wanted) == len(found), (len(wanted), len(found))
    for ours, theirs in zip(wanted, found, strict=True):
        known = ('outcome', 'controller', 'control_rate')
        exactly = ('trial_id', 'requester', 'commit', 'explored', 'robot_seconds')
        for name in known + (exactly if exact else ()):
            assert getattr(ours, name) == getattr(theirs, name), name
        for one, other in zip(ours.attempts, theirs.attempts, strict=True):
            assert (one.index, one.verdict, one.execution) == (
                other.index,
                other.verdict,
                other.execution,
            )
            assert set(one.features) == set(other.features)
            assert set(one.images) == set(other.images)
            tolerance = 0 if exact else 1e-5
            np.testing.assert_allclose(one.stamps, other.stamps, rtol=0, atol=tolerance)
            for name, values in one.features.items():
                np.testing.assert_allclose(other.features[name], values, rtol=0, atol=tolerance)
            for camera, images in one.images.items():
                np.testing.assert_array_equal(other.images[camera], images)


if __name__ == '__main__':
    sys.exit(main())
