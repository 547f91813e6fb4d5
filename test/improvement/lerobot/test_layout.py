"""Names of elements, and which info.json can be read."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest

from enpire_nodes.common.errors import StationError
from enpire_nodes.improvement.lerobot.layout import element_names, read_info, sizes_from

NAMES = st.text(st.characters(exclude_categories=['Cs']), min_size=1)


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.integers(1, 5), max_size=5))
def test_names_say_the_sizes_again(sizes):
    names = element_names(sizes)
    assert sizes_from(names, len(names)) == sizes


@pytest.mark.parametrize(
    'names',
    [
        None,
        'ab',
        {'motors': ['a', 'b']},
        ['x', 'y'],
        ['tcp.0', 'tcp.2'],
        ['tcp.1', 'tcp.0'],
        ['tcp.0'],
        ['.0', '.1'],
        [['a'], ['b']],
        [0, 1],
    ],
)
def test_names_of_another_kind_are_not_ours(names):
    assert sizes_from(names, 2) is None


@pytest.mark.parametrize(
    'content',
    [
        None,
        '',
        '[]',
        '{}',
        '{"codebase_version": "v3.0", "fps": 0, "features": {}}',
        '{"codebase_version": "v3.0", "fps": 30, "features": []}',
        '{"codebase_version": "v3.0", "fps": 30, "features": {"action": {}}}',
    ],
)
def test_what_is_no_dataset_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / 'meta').mkdir()
        (tmp_path / 'meta/info.json').write_text(content)
    with pytest.raises(StationError, match='no LeRobot dataset'):
        read_info(tmp_path)


def test_an_older_version_is_refused_with_the_remedy(tmp_path):
    (tmp_path / 'meta').mkdir()
    info = {'codebase_version': 'v2.1', 'fps': 30, 'features': {}}
    (tmp_path / 'meta/info.json').write_text(json.dumps(info))
    with pytest.raises(StationError, match=r'v2\.1.*convert'):
        read_info(tmp_path)
