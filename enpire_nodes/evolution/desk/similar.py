"""Whether an idea was had before: sentences that share words, or nearly the same letters."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
import re

_WORD = re.compile(r'[a-z0-9_.]+')
_EMPTY = frozenset(
    _WORD.findall(
        'a an and are as at be because by does for from has if in is it its less more not of on '
        'or so than that the then there this to was we with'
    )
)
#: From here on two sentences are worth comparing by a reader.
ALIKE = 0.45


def likeness(first: str, second: str) -> float:
    """Return how alike two sentences are, 0 to 1.

    The larger of the Jaccard index of their words (without those that carry no meaning, and with
    plain endings cut off) and, for misspellings and joined words, of the ratio of Ratcliff and
    Obershelp over the sorted words.
    """
    one, other = _words(first), _words(second)
    if not one or not other:
        return float(first.strip().lower() == second.strip().lower())
    shared = len(one & other) / len(one | other)
    letters = SequenceMatcher(
        None, *sorted((' '.join(sorted(one)), ' '.join(sorted(other))))
    ).ratio()
    # unrelated sentences of one field share about half of their letters in order
    return max(shared, 2.0 * letters - 1.0)


def similar(
    sentence: str, subjects: Iterable[str], *, least: float = ALIKE, most: int = 5
) -> list[tuple[int, float]]:
    """Return the places of the subjects that are like ``sentence``, most alike first.

    :param most: of them.
    :return: place in ``subjects``, likeness.
    """
    scored = ((place, likeness(sentence, subject)) for place, subject in enumerate(subjects))
    chosen = [(place, score) for place, score in scored if score >= least]
    return sorted(chosen, key=lambda item: -item[1])[:most]


def _words(sentence: str) -> set[str]:
    found = _WORD.findall(sentence.lower().replace('-', ' '))
    return {_stem(word.strip('.')) for word in found if word not in _EMPTY} - {''}


def _stem(word: str) -> str:
    for ending in ('ing', 'ed', 'es', 's'):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word
