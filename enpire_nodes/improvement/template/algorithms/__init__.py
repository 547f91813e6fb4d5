"""The algorithms, by the name that a recipe calls them."""

from __future__ import annotations

from importlib import import_module

from algorithms.base import Algorithm
from networks import Actor
from recipe import Recipe

_CLASSES = {
    'bc': 'algorithms.bc:BehaviourCloning',
    'rlpd': 'algorithms.rlpd:Rlpd',
    'bc_rl': 'algorithms.bc_rl:BcRl',
    'residual': 'algorithms.residual:Residual',
}


def algorithm_class(name: str) -> type[Algorithm]:
    """Return the class of an algorithm that trains; ``search`` does not."""
    module, _, attribute = _CLASSES[name].partition(':')
    return getattr(import_module(module), attribute)


def actor_for(recipe: Recipe, inputs: int) -> Actor:
    """Return an untrained actor of the kind that a recipe's algorithm trains."""
    return algorithm_class(recipe.algorithm).make_actor(recipe, inputs)
