"""What an agent is told at the start of a turn: what the station knows, whatever it remembers."""

from __future__ import annotations

import math

from enpire_nodes.evolution.campaign.desk import CampaignDesk
from enpire_nodes.evolution.desk.views import JobView

_JOBS = 6  # the newest ones are told
_IDEAS = 8


def facts(desk: CampaignDesk) -> str:
    """Return a few lines: where the campaign stands, the last jobs, what is left."""
    status = desk.status()
    main = status['incumbent']
    lines = [
        f'campaign {status["campaign"]}, task {status["task"]}, target {status["target"]:.1%} by '
        f'{status["confirmation_trials"]} trials',
        f'main {main["commit"][:10]} "{main["subject"]}": {main["first_attempt_successes"]} of '
        f'{main["trials"]} at the first attempt',
    ]
    lines += [
        f'budget {line.name}: {line.used:.6g} of {line.limit:g} {line.unit}'
        for line in desk.budget()
    ]
    jobs = desk.jobs()[-_JOBS:]
    if jobs:
        lines += ['your last jobs:', *(f'  {_job(job)}' for job in jobs)]
    history = desk.history()
    if history.ideas:
        lines.append(f'ideas: {history.words}')
        for idea in history.ideas[-_IDEAS:]:
            score = f'{idea.first_attempt_successes}/{idea.trials}'
            lines.append(f'  {idea.short} {idea.state} {score} {idea.subject}')
    return '\n'.join([*lines, status['next']])


def _job(job: JobView) -> str:
    scores = ' against '.join(
        f'{arm.first_attempt_successes}/{arm.trials} ({arm.commit[:10]})' for arm in job.arms
    )
    p_value = '' if math.isnan(job.p_value) else f', p = {job.p_value:.2g}'
    words = f': {job.message}' if job.message else ''
    return f'{job.job_id} {job.state}: {scores}{p_value}{words}'
