"""Steps that run as processes of their own: ``python -m ...steps JOB.json``."""

from __future__ import annotations

from importlib import import_module
import json
from pathlib import Path
import sys
from typing import Any

from enpire_nodes.benchmark.learning.station import LearningStation
from enpire_nodes.benchmark.learning.suite import demonstrate
from enpire_nodes.common.writing import write_json

_OWN = (
    'action', 'algorithms', 'data', 'eyes', 'learner', 'networks', 'observation', 'policy',
    'recipe', 'replay',
)  # fmt: skip


def policy_of(workspace: Path) -> Any:
    """Return the policy of a workspace with its published weights, among others of its kind."""
    for name in [name for name in sys.modules if name.split('.')[0] in _OWN]:
        del sys.modules[name]
    sys.path.insert(0, str(workspace))
    try:
        weights = workspace / '.enpire' / 'checkpoints' / 'current.safetensors'
        return import_module('policy').Policy(weights if weights.exists() else None)
    finally:
        sys.path.remove(str(workspace))


def retest(seed: int, count: int, workspaces: dict[str, str], result: str) -> None:
    """Grade all variants in turn, each on the same starting poses, one attempt a trial."""
    station = LearningStation(seed)
    policies = {name: policy_of(Path(path)) for name, path in workspaces.items()}
    names, tests = list(policies), []
    for index in range(count):
        first = index % len(names)  # whoever goes first finds the scene as the last one left it
        for name in names[first:] + names[:first]:
            _, record = station.run(policies[name], 900_000_000 + seed * 10_000 + index, name=name)
            tests.append(
                {
                    'variant': name,
                    'seed': seed,
                    'pose': index,
                    'success': record.first_attempt_success,
                    'seconds': record.attempts[0].duration if record.attempts else 0.0,
                }
            )
    station.close()
    write_json(Path(result), tests)


def main() -> None:
    """Take the step of the job file that is named."""
    content = json.loads(Path(sys.argv[1]).read_text('utf-8'))
    {'demonstrate': demonstrate, 'retest': retest}[content['what']](*content['arguments'])


if __name__ == '__main__':
    main()
