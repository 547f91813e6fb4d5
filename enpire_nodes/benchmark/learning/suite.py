"""All courses, then the re-tests: which recipes are better, on the same stations and seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

from enpire_nodes.benchmark.learning.course import Job
from enpire_nodes.benchmark.learning.station import LearningStation
from enpire_nodes.benchmark.learning.variants import Variant
from enpire_nodes.common.writing import write_json
from enpire_nodes.improvement.replay_store import ReplayStore

_COURSE_DEADLINE = 4 * 3600.0  # s (wall)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run.

    :param demonstrations: successes that every course of a seed starts from.
    :param trials: of its own, of each course that learns online.
    :param tests: graded trials of one attempt, for each variant and seed, interleaved.
    :param certify: robot minutes within which a policy shall be certified; 0 leaves it out.
    :param workers: courses at a time.
    """

    directory: Path
    seeds: tuple[int, ...] = (1, 2, 3)
    demonstrations: int = 30
    trials: int = 60
    tests: int = 30
    certify: float = 60.0
    workers: int = 2


class Suite:
    """Runs a plan; what is there already is not run again, so that it can be gone on with.

    :param tell: hears a line about every step.
    """

    def __init__(
        self, plan: Plan, variants: Sequence[Variant], tell: Callable[[str], None]
    ) -> None:
        self._plan, self._variants, self._tell = plan, variants, tell

    def run(self) -> dict[str, Any]:
        """Demonstrate, learn, re-test; return everything as JSON types."""
        plan = self._plan
        plan.directory.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(plan.workers) as pool:
            shown = dict(zip(plan.seeds, pool.map(self._demonstrate, plan.seeds), strict=True))
            jobs = [job for seed in plan.seeds for job in self._jobs(seed, shown[seed])]
            courses = list(pool.map(self._take, jobs))
            tests = list(pool.map(lambda seed: self._test(seed, courses), plan.seeds))
        return {
            'plan': {**asdict(plan), 'directory': str(plan.directory)},
            'demonstrations': shown,
            'courses': courses,
            'tests': [test for several in tests for test in several],
        }

    def _demonstrate(self, seed: int) -> dict[str, float]:
        folder = self._plan.directory / f'demonstrations-{seed}'
        about = folder / 'about.json'
        if about.is_file():
            return json.loads(about.read_text('utf-8'))
        self._tell(f'station {seed}: demonstrations')
        return self._call('demonstrate', seed, self._plan.demonstrations, folder, about)

    def _jobs(self, seed: int, shown: dict[str, float]) -> list[Job]:
        wanted = [(variant, 0.0) for variant in self._variants]
        if self._plan.certify:
            wanted.insert(0, (Variant('certified', {'algorithm': 'bc_rl'}), self._plan.certify))
        return [
            Job(
                variant=variant.name,
                changes=variant.changes,
                seed=seed,
                workspace=self._place(variant.name, seed) / 'workspace',
                demonstrations=self._plan.directory / f'demonstrations-{seed}',
                minutes=shown['minutes'],
                trials=(40 if certify else self._plan.trials) if variant.online else 0,
                certify=certify,
                result=self._place(variant.name, seed) / 'course.json',
            )
            for variant, certify in wanted
        ]

    def _place(self, variant: str, seed: int) -> Path:
        return self._plan.directory / f'{variant.replace(" ", "-")}-{seed}'

    def _take(self, job: Job) -> dict[str, Any]:
        if not job.result.is_file():
            self._tell(f'station {job.seed}: {job.variant}')
            place = job.result.parent
            place.mkdir(parents=True, exist_ok=True)
            content = {
                name: str(value) if isinstance(value, Path) else value
                for name, value in asdict(job).items()
            }
            write_json(place / 'job.json', content)
            self._process('course', place / 'job.json', log=place / 'course.log')
        return json.loads(job.result.read_text('utf-8'))

    def _test(self, seed: int, courses: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        result = self._plan.directory / f'tests-{seed}.json'
        if not result.is_file():
            self._tell(f'station {seed}: re-tests of all variants, interleaved')
            entries = {
                variant.name: str(self._place(variant.name, seed) / 'workspace')
                for variant in self._variants
            }
            self._call('retest', seed, self._plan.tests, entries, result)
        return json.loads(result.read_text('utf-8'))

    def _call(self, what: str, *arguments: Any) -> Any:
        job = self._plan.directory / f'{what}-{arguments[0]}.json'
        plain = [str(item) if isinstance(item, Path) else item for item in arguments]
        write_json(job, {'what': what, 'arguments': plain})
        self._process('steps', job, log=job.with_suffix('.log'))
        return json.loads(Path(plain[-1]).read_text('utf-8'))

    def _process(self, module: str, job: Path, *, log: Path) -> None:
        threads = {f'{name}_NUM_THREADS': '1' for name in ('OMP', 'MKL', 'OPENBLAS')}
        with log.open('wb') as stream:
            done = subprocess.run(
                [sys.executable, '-m', f'enpire_nodes.benchmark.learning.{module}', str(job)],
                stdout=stream, stderr=subprocess.STDOUT, timeout=_COURSE_DEADLINE,
                env={**os.environ, **threads}, check=False,
            )  # fmt: skip
        if done.returncode:
            lines = log.read_text('utf-8', 'replace').splitlines()[-3:]
            raise RuntimeError(
                f'{job} ended with {done.returncode}: {" | ".join(lines)}; see {log}'
            )


def demonstrate(seed: int, count: int, folder: str, about: str) -> None:
    """Record ``count`` successful demonstrations on a station."""
    station, store = LearningStation(seed), ReplayStore(Path(folder))
    shown = tried = 0
    while shown < count and tried < 4 * count:
        trial, _ = station.run('demonstrator', seed * 1000 + tried, name='demonstrator')
        store.add(trial)
        shown, tried = shown + trial.success, tried + 1
    station.close()
    minutes = station.robot_seconds / 60.0
    content = {'minutes': minutes, 'tried': tried, 'shown': shown, 'rescues': station.rescues}
    write_json(Path(about), content)
