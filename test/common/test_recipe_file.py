"""What is told of a recipe without its schema."""

from __future__ import annotations

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.recipe_file import needs_weights


@pytest.mark.parametrize(
    ('text', 'needed'),
    [
        ('algorithm: search', False),
        ('algorithm: rlpd', True),
        ('{}', True),
        ('', True),
        ('[algorithm, search]', True),
        ('algorithm: search\nsince: 2026-13-45', False),  # a date that is none
        ('algorithm: search\ncount: 0x', False),
    ],
)
def test_only_the_search_needs_no_weights(tmp_path, text, needed):
    path = tmp_path / 'recipe.yaml'
    path.write_text(text)
    assert needs_weights(path) is needed


@pytest.mark.parametrize('content', [b'algorithm: [', b'\xff\xfe', b'a: ' + b'[' * 5000, None])
def test_what_cannot_be_read_is_a_clear_error(tmp_path, content):
    path = tmp_path / 'recipe.yaml'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StationError, match=r'recipe\.yaml cannot be read') as raised:
        needs_weights(path)
    assert raised.value.code is ErrorCode.IMPROVEMENT_RECIPE_INVALID
