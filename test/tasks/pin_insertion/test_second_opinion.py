"""The second opinion on the pin, on pictures as bags hold them."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from staged_episodes import all_kinds, CAMERAS, GROUP, SEEDS, TASK

from enpire_nodes.common.types import Frame
from enpire_nodes.tasks.api import Outcome
from enpire_nodes.tasks.pin_insertion import second_opinion, second_sight
from enpire_nodes.tasks.second_opinion import second_opinion_of

pytestmark = GROUP


@pytest.fixture(scope='module')
def episodes():
    return all_kinds()


@pytest.fixture
def opinion():
    return second_opinion_of(TASK, CAMERAS)


def from_bag(frames):
    """Return pictures as they come back from JPEG of the driver's quality."""

    def packed(frame: Frame) -> Frame:
        bgr = cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, 80])
        return Frame(frame.stamp, cv2.cvtColor(cv2.imdecode(data, 1), cv2.COLOR_BGR2RGB))

    return {name: tuple(map(packed, taken)) for name, taken in frames.items()}


def test_it_is_never_wrong_and_seldom_unsure(episodes, opinion):
    unsure = 0
    for (kind, _), evidence in episodes.items():
        found = opinion.opine(from_bag(evidence.frames), evidence.states)
        right = Outcome.SUCCESS if evidence.label else Outcome.FAILURE
        assert found.outcome in (right, Outcome.UNCERTAIN), f'{kind}: {found.reason}'
        unsure += found.outcome is Outcome.UNCERTAIN
    assert unsure <= 2


def inserted(episodes):
    return episodes['inserted', SEEDS[0]]


def test_the_measurement_is_said(episodes, opinion):
    evidence = inserted(episodes)
    found = opinion.opine(from_bag(evidence.frames), evidence.states)
    assert found.outcome is Outcome.SUCCESS
    assert 'depth' in found.reason


def test_a_pin_that_is_held_is_no_success(episodes, opinion):
    evidence = inserted(episodes)
    last = evidence.states[-1]
    holding = replace(last, gripper_width=0.012)
    found = opinion.opine(evidence.frames, (*evidence.states[:-1], holding))
    assert (found.outcome, 'holds' in found.reason) == (Outcome.FAILURE, True)
    low = replace(last, position=last.position - [0.0, 0.0, 0.06])
    assert opinion.opine(evidence.frames, (low,)).outcome is Outcome.FAILURE


@pytest.mark.parametrize('camera', ['side', 'front'])
def test_a_camera_that_sees_no_block_leaves_it_unsure(episodes, opinion, camera):
    evidence = inserted(episodes)
    dark = tuple(
        Frame(frame.stamp, np.zeros_like(frame.image)) for frame in evidence.frames[camera]
    )
    found = opinion.opine({**evidence.frames, camera: dark}, evidence.states)
    assert (found.outcome, camera in found.reason) == (Outcome.UNCERTAIN, True)


def test_pictures_that_differ_leave_it_unsure(episodes, opinion):
    good, bad = inserted(episodes), episodes['missing', SEEDS[0]]
    mixed = {name: (*bad.frames[name][:1], *good.frames[name][-1:]) for name in good.frames}
    found = opinion.opine(mixed, good.states)
    assert (found.outcome, 'differ' in found.reason) == (Outcome.UNCERTAIN, True)


def test_without_pictures_or_hand_it_is_unsure(episodes, opinion):
    evidence = inserted(episodes)
    for frames, states in (
        ({}, evidence.states),
        ({**evidence.frames, 'side': ()}, evidence.states),
        (evidence.frames, ()),
    ):
        assert opinion.opine(frames, states).outcome is Outcome.UNCERTAIN


def test_it_shares_no_code_with_the_judge_and_nobody_else_uses_it():
    for module in (second_opinion, second_sight):
        tree = ast.parse(Path(module.__file__).read_text())
        imported = {
            node.module.rsplit('.', 1)[-1]
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and 'pin_insertion' in (node.module or '')
        }
        assert imported <= {'settings', 'second_sight'}
    package = Path(second_opinion.__file__).parents[2]
    users = {
        path.relative_to(package).as_posix()
        for path in package.rglob('*.py')
        if 'second_opinion import' in path.read_text()
    }
    assert users == {
        'cli/environment_drill.py',  # tries the audits
        'rollout/auditing/second.py',
        'rollout/judge_auditor.py',
        'tasks/pin_insertion/second_opinion.py',
        'tasks/pin_insertion/task.py',
    }


def test_a_task_without_one_has_none():
    assert second_opinion_of(object(), {}) is None
