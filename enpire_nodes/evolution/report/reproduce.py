"""The commands that run the best recipe again, as its block was declared."""

from __future__ import annotations

from pathlib import Path
import shlex

from enpire_nodes.evolution.accounting.milestones import block_end
from enpire_nodes.evolution.accounting.run_log import RunLog
from enpire_nodes.evolution.tree.build import hub_path
from enpire_nodes.rollout.records import RequestRecord

_CLONE = 'recipe'


def commands(log: RunLog, commit: str) -> list[str]:
    """Return shell commands, to be given in the run directory; none when nothing was run.

    :param commit: of the recipe.
    """
    found = [block.request for block in log.confirmations
             if block.request.commit == commit and block_end(log, block)]  # fmt: skip
    if not commit or not found:
        return []
    request, hub = found[-1], hub_path(log)
    own = Path('research', 'hub.git')
    place = own if hub == log.run / own else hub
    return [
        'enpire verify-run .',
        shlex.join(['git', 'clone', '--quiet', str(place), _CLONE]),
        f'git -C {_CLONE} checkout --quiet {commit}',
        _run(request, _weights(log, request.request_id)),
    ]


def _weights(log: RunLog, request_id: str) -> str:
    arms = (arm for job in log.jobs.values() for arm in job.arms)
    return next((arm.weights for arm in arms if arm.request_id == request_id), '')


def _run(request: RequestRecord, weights: str) -> str:
    settings = dict(request.controller_parameters)
    if 'learned.policy' in settings or request.controller == 'learned':
        settings['learned.policy'] = f'{_CLONE}/policy.py'
    if weights:
        place = f'research/artifacts/{weights[:2]}/{weights}.safetensors'
        settings['learned.checkpoint'] = place
    words = ['enpire', 'run', '--confirm', '--controller', request.controller or 'learned']
    for name, value in sorted(settings.items()):
        if value != '':
            words += ['--set', f'{name}={_setting(value)}']
    words += ['--commit', request.commit, '-n', str(request.trials)]
    words += ['--attempts', str(request.max_attempts)]
    words += ['--seeds', *(str(seed) for seed in request.seeds)]
    return shlex.join(words)


def _setting(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
