"""An idea of the catalogue: a sentence that trials can refute, and the edits that make it real."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from enpire_nodes.evolution.researcher.edits import Edit

Values = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of idea; its parameters are drawn anew each time it is taken up.

    :param family: of kindred ideas: what came of one says something of the others.
    :param choices: values of each parameter.
    :param edits: ways to make it, the first that fits the files is taken; each is a function of
        the parameters.
    :param adds: it adds code, which must not be added twice.
    :param retries: it can only matter when a trial has several attempts.
    :param trains: it needs demonstrations, and a training before its first trial.
    """

    key: str
    family: str
    sentence: str
    edits: tuple[Callable[[Values], list[Edit]], ...]
    choices: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    adds: bool = False
    retries: bool = False
    trains: bool = False

    def every(self) -> list[Idea]:
        """Return the ideas of this kind, one for each set of parameters."""
        drawn: list[dict[str, float]] = [{}]
        for name, values in self.choices.items():
            drawn = [{**values_so_far, name: value} for values_so_far in drawn for value in values]
        return [Idea(self, values) for values in drawn]


@dataclass(frozen=True, slots=True)
class Idea:
    """A template with its parameters."""

    template: Template
    values: Values

    @property
    def name(self) -> str:
        """What the idea is called in trailers and claims."""
        given = ' '.join(f'{name}={value:g}' for name, value in self.values.items())
        return f'{self.template.key} {given}'.strip()

    @property
    def sentence(self) -> str:
        """The hypothesis."""
        return self.template.sentence.format(**self.values)

    def ways(self) -> list[list[Edit]]:
        """Return the edits of each way to make it."""
        return [make(self.values) for make in self.template.edits]
