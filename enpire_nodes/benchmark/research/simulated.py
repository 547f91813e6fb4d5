"""Many campaigns with made-up success rates: how often a researcher is right, and how often lucky.

``python -m enpire_nodes.benchmark.research.simulated [campaigns]`` prints the rates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
import random
import sys

from enpire_nodes.benchmark.research.desk import BareDesk
from enpire_nodes.benchmark.research.memory import MemoryRepository
from enpire_nodes.evolution.researcher.plan import Plan
from enpire_nodes.evolution.researcher.proposer import Proposer
from enpire_nodes.evolution.researcher.repository import Repository
from enpire_nodes.evolution.researcher.research import Researcher
from enpire_nodes.evolution.researcher.start import start_files
from enpire_nodes.evolution.researcher.training import Trainer
import enpire_nodes.improvement

_LEAVE = '__pycache__'

#: What kinds of ideas are worth in a made-up world: the success rate that one brings.
SOME_HELP = {'aim-by-eye': 0.95, 'spiral': 0.8, 'align-first': 0.55}


def template_files() -> dict[str, str]:
    """Return the text files of the template by their paths."""
    folder = Path(enpire_nodes.improvement.__file__).with_name('template')
    return {
        str(path.relative_to(folder)): path.read_text('utf-8')
        for path in sorted(folder.rglob('*'))
        if path.suffix in ('.py', '.yaml', '.md') and _LEAVE not in path.parts
    }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a campaign.

    :param rate: true success rate of what is confirmed in the end.
    :param published: true rates of what was proposed.
    """

    start: float
    rate: float
    published: tuple[float, ...]
    ideas: int
    dead: int
    trials: int


class Rehearsed(Proposer):
    """A proposer that rehearses nothing: no edited policy ever runs in a made-up world."""

    def _rehearse(self, files: Mapping[str, str]) -> None:
        pass


def simulate(
    seed: int,
    *,
    start: float = 0.35,
    worth: Mapping[str, float] = SOME_HELP,
    budget: int = 114,
    plan: Plan | None = None,
    say: Callable[[str], None] = lambda words: None,
) -> Outcome:
    """Run one campaign.

    :param start: success rate of the start; ``worth`` of each kind of idea that helps at all.
    """
    files = template_files()
    repository = MemoryRepository({**files, **start_files(files)})
    dice = random.Random(f'trials {seed}')

    def rate(commit: str) -> float:
        kinds = [name.split(' ')[0] for name in repository.lineage(commit)]
        return max([start, *(worth[kind] for kind in kinds if kind in worth)])

    def move(commit: str) -> None:
        repository.main = commit

    desk = BareDesk(lambda commit, _: dice.random() < rate(commit), repository.main, move, budget)
    researcher = assemble(desk, repository, Rehearsed(repository, seed), plan=plan, say=say)
    researcher.run(wait=1.0)
    tree = researcher.look(desk.jobs())
    return Outcome(
        start=start,
        rate=rate(desk.main),
        published=tuple(rate(commit) for commit in desk.published),
        ideas=len(tree.ideas()),
        dead=len(tree.dead()),
        trials=desk.used,
    )


def assemble(
    desk: BareDesk,
    repository: MemoryRepository | Repository,
    proposer: Proposer,
    *,
    plan: Plan | None,
    say: Callable[[str], None],
) -> Researcher:
    """Return a researcher that trains nothing."""
    trainer = Trainer(repository.files, Path('no-workspace'), desk.store)
    return Researcher(desk, repository, proposer, trainer, plan=plan, say=say)


def main() -> None:
    """Simulate campaigns in a world where some ideas help, and in one where none does."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    for name, worth in (('some ideas help', SOME_HELP), ('no idea helps', {})):
        done = [simulate(seed, worth=worth) for seed in range(count)]
        proposed = [rate for outcome in done for rate in outcome.published]
        lucky = sum(rate <= 0.35 for rate in proposed)
        better = sum(outcome.rate > outcome.start for outcome in done)
        moved = sum(bool(outcome.published) for outcome in done)
        ideas = sum(outcome.ideas for outcome in done) / count
        dead = sum(outcome.dead for outcome in done) / max(1.0, ideas * count)
        trials = sum(outcome.trials for outcome in done) / count
        sys.stdout.write(
            f'{name}: of {count} campaigns {moved} proposed something, {lucky} proposals were no '
            f'better than the start, {better} ended better; {ideas:.1f} ideas, {dead:.0%} dead, '
            f'{trials:.0f} trials\n'
        )


if __name__ == '__main__':
    main()
