"""The drawing: there for any tree, the same for the same one, and its words do not meet."""

import itertools
import json
from pathlib import Path
import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
import numpy as np
import pytest

from enpire_nodes.evolution.tree import theme
from enpire_nodes.evolution.tree.model import Idea, IdeaState, IdeaTree
from enpire_nodes.evolution.tree.picture import (
    shortened,
    tree_data,
    tree_figure,
    tree_image,
    write_tree,
)


def tree(count, subject='Mix demonstrations into every batch of the learner'):
    ideas = {}
    for number in range(count):
        commit = f'{number:040x}'
        parent = f'{(number - 1) // 3:040x}' if number else ''
        ideas[commit] = Idea(
            commit, parent, f'{subject} {number}', 'station_1', float(number),
            borrowed=(f'{0:040x}',) if number % 7 == 3 else (), successes=number % 9,
            trials=number % 9 + 3, lower=0.2, upper=0.9, state=IdeaState(number % 6),
        )  # fmt: skip
    return IdeaTree(ideas, f'{0:040x}', 0.9)


@pytest.mark.parametrize('count', [0, 1, 3, 40, 150])
def test_there_is_a_picture(count):
    image = tree_image(tree(count))
    assert image.dtype == np.uint8
    assert image.shape[2] == 3
    assert image.min() < 100 < image.max()


@pytest.mark.parametrize('count', [15, 60, 150])
def test_words_do_not_meet(count):
    figure = tree_figure(tree(count, 'W' * 200))
    canvas = FigureCanvasAgg(figure)
    boxes = [
        text.get_window_extent(canvas.get_renderer())
        for text in figure.axes[0].texts
        if text.get_text()
    ]
    edge = figure.axes[1].get_window_extent(canvas.get_renderer()).x0
    by_row = sorted(boxes, key=lambda box: box.y0)
    for one, other in itertools.pairwise(by_row):
        apart = other.y0 >= one.y1 - 1.0 or one.x1 <= other.x0 or other.x1 <= one.x0
        assert apart
    assert len(boxes) >= 2 * count
    assert edge > 0


def test_the_same_tree_gives_the_same_file():
    one, other = (theme.svg(tree_figure(tree(12))) for _ in range(2))
    assert one == other
    ET.fromstring(one.encode())


def test_a_subject_is_text_and_nothing_else():
    hostile = r'<script>alert(1)</script> $\frac{1}$ & "quotes"'
    text = theme.inline_svg(tree_figure(tree(3, hostile)), prefix='t', label='tree')
    assert '<script' not in text
    assert '&lt;script' in text


def test_a_page_s_colours_and_identifiers_of_its_own():
    text = theme.inline_svg(tree_figure(tree(9)), prefix='tree', label='tree')
    assert 'var(--green)' in text
    assert theme.GREEN not in text
    assert 'url(#tree-' in text or 'href="#tree-' in text


def test_files(tmp_path: Path):
    write_tree(tree(5), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {'tree.svg', 'tree.png', 'tree.json'}
    data = json.loads((tmp_path / 'tree.json').read_text())
    assert data == json.loads(json.dumps(tree_data(tree(5))))
    assert [idea['state'] for idea in data['ideas']][:2] == ['UNTESTED', 'DEAD']


@given(st.text(max_size=120), st.integers(8, 60))
def test_short_is_short(text, letters):
    found = shortened(text, letters)
    assert len(found) <= letters
    assert found.isprintable()
    if len(text) <= letters and text.isprintable():
        assert found == ' '.join(text.split())


def test_words_are_cut_between_words():
    assert shortened('Mix demonstrations into every batch', 25) == 'Mix demonstrations into…'
