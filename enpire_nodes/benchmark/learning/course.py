"""One course of learning: a variant, a station, demonstrations, then trials of its own.

Run as a process of its own: ``python -m enpire_nodes.benchmark.learning.course JOB.json``, because
the code that learns is that of a workspace, which is imported by its own names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
import json
from pathlib import Path
import sys
import time
from typing import Any

import yaml

from enpire_nodes.benchmark.learning.station import LearningStation
from enpire_nodes.common.writing import write_json
from enpire_nodes.improvement import CheckpointStore, ReplayStore
from enpire_nodes.improvement.workspace import Workspace

_PUBLISH_EVERY = 2  # trials


@dataclass(frozen=True, slots=True)
class Job:
    """What a course is given.

    :param demonstrations: folder of recorded trials.
    :param minutes: of robot time that these took.
    :param trials: of its own, to learn from.
    :param certify: robot minutes within which it goes on until a block of 50 succeeds; 0 for none.
    :param result: file that the outcome is written to.
    """

    variant: str
    changes: Mapping[str, Any]
    seed: int
    workspace: Path
    demonstrations: Path
    minutes: float
    trials: int
    result: Path
    certify: float = 0.0


@dataclass(slots=True)
class Course:
    """What came of it.

    :param trials: of its own: robot minutes at the end, success at the first attempt.
    :param judges: digests of the verifier that judged; more than one would void the course.
    :param learner_seconds: of processor time spent on learning.
    :param blocks: of 50 trials of up to 8 attempts, each ended by its first failure: successes,
        first attempts that succeeded, minutes at the end.
    """

    variant: str
    seed: int
    weights: str = ''
    trials: list[tuple[float, bool]] = field(default_factory=list)
    rescues: int = 0
    judges: list[str] = field(default_factory=list)
    minutes: float = 0.0
    learner_seconds: float = 0.0
    updates: int = 0
    blocks: list[tuple[int, int, float]] = field(default_factory=list)


def prepare(job: Job) -> Workspace:
    """Make the workspace of a course, with its recipe."""
    if (job.workspace / '.enpire').is_dir():
        return Workspace(job.workspace)
    workspace = Workspace.create(
        job.workspace, task='pin_insertion', runs=[], station='/station_1'
    )
    recipe = yaml.safe_load(workspace.recipe.read_text('utf-8'))
    for dotted, value in {**job.changes, 'training.seed': job.seed}.items():
        section, _, key = dotted.rpartition('.')
        (recipe[section] if section else recipe)[key] = value
    workspace.recipe.write_text(yaml.safe_dump(recipe, sort_keys=False), 'utf-8')
    return workspace


class Running:
    """A learner and a policy of a workspace, on a station, in turn."""

    def __init__(self, job: Job) -> None:
        self.workspace = prepare(job)
        sys.path.insert(0, str(self.workspace.path))
        from enpire_nodes.improvement import read_recipe
        from policy import Policy
        from recipe import Recipe

        self._policy_class = Policy
        self.recipe = read_recipe(self.workspace.recipe, Recipe)
        self.course = Course(job.variant, job.seed, minutes=job.minutes)
        self.station = LearningStation(job.seed)
        self.policy: Any = None
        self.learner: Any = None
        if self.recipe.algorithm == 'search':
            self.policy = Policy(None)
            return
        from learner import Learner

        self.learner = Learner(self.recipe)
        for trial in ReplayStore(job.demonstrations):
            self.learner.add(trial)
        self.learner.begin()
        self.learn()

    def learn(self) -> None:
        """Make every update that is owed, and take the new weights."""
        began = time.process_time()
        while not self.learner.idle:
            self.learner.work(200)
        self.course.learner_seconds += time.process_time() - began
        self.course.updates = self.learner.updates

    def publish(self) -> None:
        """Let the station run the newest weights."""
        store = CheckpointStore(self.workspace.checkpoints, minimum_free=0.0, keep=5)
        path = store.save_weights(*self.learner.weights())
        self.policy = self._policy_class(path)
        store.publish(path)
        store.prune()
        self.course.weights = str(path)

    def explore(self, seed: int) -> bool:
        """Run one trial to learn from; return whether it succeeded."""
        trial, _ = self._trial(seed, attempts=1, explore=True)
        self.course.trials.append((self.course.minutes, trial.success))
        self.learner.add(trial)
        return trial.success

    def block(self, seed: int) -> bool:
        """Run a block of 50 graded trials; return whether all of them succeeded."""
        wins = firsts = 0
        for index in range(50):
            _, record = self._trial(seed + index, attempts=8, explore=False)
            wins += record.success
            firsts += record.first_attempt_success
            if not record.success:
                break  # the streak is broken: go on learning
        self.course.blocks.append((wins, firsts, self.course.minutes))
        return wins == 50

    def _trial(self, seed: int, *, attempts: int, explore: bool) -> Any:
        before, rescues = self.station.robot_seconds, self.station.rescues
        policy = Exploring(self.policy) if explore else self.policy
        result = self.station.run(policy, seed, name='learned', attempts=attempts, explore=explore)
        self.course.minutes += (self.station.robot_seconds - before) / 60.0
        self.course.rescues += self.station.rescues - rescues
        seen = {attempt.verdict.digest for attempt in result[1].judged}
        self.course.judges = sorted(seen.union(self.course.judges))
        return result


class Exploring:
    """A policy that is told to explore."""

    def __init__(self, policy: Any) -> None:
        self._policy = policy

    def reset(self, context: Any) -> None:
        """Begin an attempt."""
        from dataclasses import replace

        self._policy.reset(replace(context, explore=True))

    def step(self, features: Any) -> Any:
        """Decide one control period."""
        return self._policy.step(features)


def take(job: Job) -> Course:
    """Learn for as many trials as the job says, then certify if it says so."""
    running = Running(job)
    course = running.course
    if running.learner is None:
        return course
    running.publish()
    seeds = iter(range(job.seed * 1_000_000 + 10_000, job.seed * 1_000_000 + 900_000))
    while len(course.trials) < job.trials or job.certify:
        good = sum(success for _, success in course.trials[-20:]) >= 19
        ready = job.certify and good and len(course.trials) >= job.trials
        if ready and running.block(next(seeds) + 500_000 + 100 * len(course.blocks)):
            break
        if job.certify and course.minutes > job.certify:
            break
        for _ in range(_PUBLISH_EVERY):
            running.explore(next(seeds))
        running.learn()
        running.publish()
        sys.stdout.write(
            f'{job.variant} {job.seed}: {len(course.trials)} trials, {course.minutes:.1f} min, '
            f'last 20: {sum(success for _, success in course.trials[-20:])}\n'
        )
        sys.stdout.flush()
    running.station.close()
    return course


def main() -> None:
    """Take the course of the job file that is named."""
    content = json.loads(Path(sys.argv[1]).read_text('utf-8'))
    for name in ('workspace', 'demonstrations', 'result'):
        content[name] = Path(content[name])
    job = Job(**content)
    write_json(job.result, asdict(take(job)))


if __name__ == '__main__':
    main()
