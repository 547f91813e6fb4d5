"""A scripted station, a book and a timeline for every test of the protocol."""

from __future__ import annotations

import pytest
from scripted_station import Book, ScriptedStation

from enpire_nodes.rollout.records import StateInterval
from enpire_nodes.rollout.trial.timeline import Timeline


@pytest.fixture
def station() -> ScriptedStation:
    return ScriptedStation()


@pytest.fixture
def book(station: ScriptedStation) -> Book:
    return Book(station)


@pytest.fixture
def intervals() -> list[StateInterval]:
    return []


@pytest.fixture
def timeline(intervals: list[StateInterval]) -> Timeline:
    return Timeline(intervals.append)
