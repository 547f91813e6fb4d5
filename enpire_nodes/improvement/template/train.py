"""Train the policy of this folder, and hand its weights to the station as they get better.

Reads recipe.yaml, learns from the trials of the station (and of others, if you name their runs),
and goes on with every new one under --follow while the robot works. `enpire train` runs this.
"""

from __future__ import annotations

import time

from data import is_demonstration
from enpire_nodes.improvement import DataMissingError, program, read_recipe, Session
from recipe import Recipe

_SLICE = 50  # updates between two looks at what the robot has done


def train() -> int:
    """Train until there is nothing to do, or until told to stop under --follow."""
    session = Session.begin(__doc__)
    recipe = read_recipe('recipe.yaml', Recipe)
    keeping = recipe.keeping
    session.checkpoints.limit(minimum_free=keeping.minimum_free_mb * 1e6, keep=keeping.keep)
    if recipe.algorithm == 'search':
        session.say('search learns nothing: edit algorithms/search.py, and ask for trials')
        return 0
    if not any(
        is_demonstration(one.controller, one.success, recipe) for one in session.outlines()
    ):
        raise DataMissingError(session, recipe.data.demonstrators)

    from learner import Learner  # takes seconds: after everything that can be refused at once

    learner = Learner(recipe)
    session.show(recipe.observation.images)
    with session.progress('reading trials') as progress:
        for trial in progress.over(session.new_trials()):
            learner.add(trial)
    learner.begin()
    resume(session, learner)
    curves = session.curves()
    with session.progress('learning') as progress:
        while not session.stopping:
            for trial in session.new_trials() if session.every('look', 0.5) else ():
                learner.add(trial)
            drawn = learner.work(_SLICE)
            if drawn:
                curves.add(learner.updates, {**drawn, 'owed updates': learner.owed})
            progress.show(learner.describe())
            if learner.idle and not session.follow:
                break
            if learner.idle:
                time.sleep(0.1)
            if not learner.cloning and session.every('publish', keeping.publish_every):
                publish(session, learner)
            if session.every('save', keeping.save_every):
                save(session, learner)
    if not learner.cloning:
        publish(session, learner)
    save(session, learner)
    curves.close()
    session.say(learner.describe())
    return 0


def resume(session: Session, learner: object) -> None:
    """Go on where the last run of this was, unless recipe or code have changed since."""
    found = None if session.fresh else session.checkpoints.newest_state()
    if found is None:
        return
    if learner.restore(found[0]):
        session.say(f'going on from {learner.updates} updates; --fresh begins anew')
    else:
        session.say('recipe or code have changed since: beginning anew, on all trials')


def publish(session: Session, learner: object) -> None:
    """Hand the weights to the station, unless they give no sound actions."""
    from policy import Policy

    def write() -> None:
        path = session.checkpoints.save_weights(*learner.weights())
        if not session.refuses(lambda: learner.check(Policy(path))):
            session.checkpoints.publish(path)
        session.checkpoints.prune()

    if learner.changed():
        session.writes('a checkpoint', write)


def save(session: Session, learner: object) -> None:
    """Keep the whole learner, so that a crash costs no more than what came after this."""
    about = {'updates': learner.updates, 'trials': len(learner.trials)}
    session.writes('the learner', lambda: session.checkpoints.save_state(learner.state(), about))
    session.writes('the learning curve', session.draw)


if __name__ == '__main__':
    program(train)
