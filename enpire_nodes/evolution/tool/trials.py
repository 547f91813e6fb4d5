"""``enpire trial ...``: ask for trials, wait for them, and look at them."""

from __future__ import annotations

import argparse
from pathlib import Path
import time

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.desk.views import JobView, to_json, TrialAsk
from enpire_nodes.evolution.tool.answer import Answer, Place
from enpire_nodes.evolution.tool.words import job_lines

_SLICE = 8.0  # s of one request
_ASKED = ('test', 'retest', 'confirm')  # kinds of jobs
_LOOKS = Path('.enpire/looks')


def submit(place: Place, args: argparse.Namespace) -> Answer:
    """Push HEAD and queue trials of it."""
    clone = place.clone
    clone.clean()
    # the station knows its main, and the weights of it
    against = args.against if args.against in ('', 'main') else clone.commit(args.against)
    weights = clone.weights(args.weights)
    clone.push(place.station)
    job = place.desk.submit(
        TrialAsk(
            commit=clone.head(),
            weights=place.desk.store(weights) if weights else '',
            trials=args.trials,
            attempts=args.attempts,
            explore=args.explore,
            against=against,
            seeds_of=args.seeds_of,
        )
    )
    return _told(job, f'`enpire trial wait {job.job_id}`; meanwhile you may work on')


def wait(place: Place, args: argparse.Namespace) -> Answer:
    """Wait for a job, or until the time is up; that is no failure."""
    name = _newest(place, args.job)
    deadline = time.monotonic() + max(0.0, args.max)
    while True:
        left = max(0.0, deadline - time.monotonic())
        job = place.desk.job(name, wait=min(left, _SLICE))
        if job.ended or time.monotonic() >= deadline:
            break
    return _told(job, f'not over yet; call again: `enpire trial wait {name}`')


def result(place: Place, args: argparse.Namespace) -> Answer:
    """Show what a job came to."""
    name = _newest(place, args.job)
    return _told(place.desk.job(name), f'`enpire trial wait {name}`', trials=True)


def cancel(place: Place, args: argparse.Namespace) -> Answer:
    """Run no more trials of a job."""
    return _told(place.desk.cancel(_newest(place, args.job)), 'its trial under way is finished')


def log(place: Place, args: argparse.Namespace) -> Answer:
    """Tell what happened in a trial, or in the failures of a job."""
    try:
        text = place.desk.job_log(args.of)
    except StationError as error:
        if error.code is not ErrorCode.SUPERVISOR_JOB_UNKNOWN:
            raise
        text = place.desk.trial_log(args.of)
    next_words = 'name what fails most, and change the one thing that should stop it'
    return Answer({'text': text}, text.splitlines(), next_words)


def picture(place: Place, args: argparse.Namespace) -> Answer:
    """Keep a picture of a trial in a file."""
    content = place.desk.picture(args.trial, camera=args.camera, moment=args.moment)
    return _kept(place, args, content, f'{args.trial}-{args.moment:.2f}.png')


def clip(place: Place, args: argparse.Namespace) -> Answer:
    """Keep a film of a trial in a file."""
    content, kind = place.desk.clip(args.trial, camera=args.camera)
    return _kept(place, args, content, f'{args.trial}.{kind.rsplit("/", 1)[-1]}')


def _kept(place: Place, args: argparse.Namespace, content: bytes, name: str) -> Answer:
    path = args.output or place.clone.path / _LOOKS / f'{args.camera or "camera"}-{name}'
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise StationError(
            ErrorCode.SUPERVISOR_BAD_REQUEST, f'{path} cannot be written: {error}; use -o FILE'
        ) from error
    data = {'file': str(path), 'bytes': len(content)}
    return Answer(data, [f'{path} ({len(content) >> 10} kB)'], 'open that file')


def _newest(place: Place, name: str) -> str:
    if name:
        return name
    jobs = place.desk.jobs()
    if not jobs:
        raise StationError(
            ErrorCode.SUPERVISOR_JOB_UNKNOWN, 'there is no job yet; `enpire trial submit` asks'
        )
    # what the station runs while nobody asks is not what somebody waits for
    asked = [job for job in jobs if job.requester == 'agent'] or [
        job for job in jobs if job.kind in _ASKED
    ]
    return (asked or jobs)[-1].job_id


def _told(job: JobView, unfinished: str, *, trials: bool = False) -> Answer:
    lines = job_lines(job)
    if trials:
        shown = [f'  trials of {a.commit[:10]}: {" ".join(a.trial_ids[-8:])}' for a in job.arms]
        lines += [line for line in shown if not line.endswith(': ')]
    over = job.words or f'`enpire trial log {job.job_id}` tells why trials failed'
    return Answer(to_json(job), lines, over if job.ended else unfinished)
