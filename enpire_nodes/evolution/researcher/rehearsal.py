"""A rehearsal without a robot: import a policy, and let it decide on made-up features.

``python -m enpire_nodes.evolution.researcher.rehearsal FOLDER`` exits with 0 when it acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
import subprocess
import sys

from enpire_nodes.common.errors import ErrorCode, StationError

_DEADLINE = 60.0  # s
_PERIODS = 90


def write_files(files: Mapping[str, str], folder: Path) -> None:
    """Write text files, by their paths, into a folder."""
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, 'utf-8')


def rehearse(folder: Path) -> None:
    """Run the rehearsal of a folder in a process of its own.

    :raises StationError: SUPERVISOR_JOB_REFUSED, it cannot be imported, or does not act.
    """
    command = [sys.executable, '-m', __name__, str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_DEADLINE)
    except subprocess.TimeoutExpired as error:
        raise _refuse(f'it has not ended within {_DEADLINE:g} s') from error
    except subprocess.CalledProcessError as error:
        raise _refuse((error.stderr.strip() or str(error)).splitlines()[-1]) from error


def _refuse(words: str) -> StationError:
    return StationError(
        ErrorCode.SUPERVISOR_JOB_REFUSED, f'the edited policy does not run: {words}'
    )


def main() -> None:
    """Rehearse the policy of the folder that is named."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, sys.argv[1])
    import numpy as np

    from enpire_nodes.improvement import AttemptContext
    from policy import Policy

    policy = Policy(None)
    for attempt in (1, 2):
        policy.reset(AttemptContext(attempt=attempt, seed=1))
        tcp = np.array([0.006, -0.004, 0.075])
        target = tcp.copy()
        for period in range(_PERIODS):
            touching = tcp[2] < 0.05 and period < 60
            action = policy.step(
                {
                    'tcp': tcp,
                    'target': target,
                    'tip': tcp - (0.001, 0.0, 0.05),
                    'tip_valid': np.array([float(period % 7 > 0)]),
                    'orientation': np.array([1.0, 0.0, 0.0, 0.0]),
                    'force': np.array([0.1, 0.0, 4.0 * touching]),
                    'torque': np.array([0.02, -0.01, 0.0]),
                    'gripper': np.array([0.012, 1.0]),
                    'elapsed': np.array([period / 30.0]),
                }
            )
            if action.done:
                break
            delta = np.asarray(action.delta, dtype=float)
            if delta.shape != (3,) or not np.isfinite(delta).all():
                raise ValueError(f'{delta} is no motion')
            target = target + delta
            tcp = tcp + 0.7 * (target - tcp) if not touching else tcp + 0.2 * (target - tcp)


if __name__ == '__main__':
    main()
