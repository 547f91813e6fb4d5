"""Pictures of what was judged."""

from acceptance_support import episode
import cv2
import numpy as np
import pytest

from enpire_nodes.common.types import Frame
from enpire_nodes.environment.acceptance.sheet import examples, sheet, tile, worst_first, write
from enpire_nodes.environment.evidence import Evidence

GREEN, RED, AMBER = (40, 150, 70), (200, 40, 40), (220, 160, 30)


def evidence():
    def frames(value):
        return (
            Frame(0.0, np.zeros((60, 80, 3), np.uint8)),
            Frame(0.1, np.full((60, 80, 3), value, np.uint8)),
        )

    return Evidence(
        {'side': frames(100), 'front': frames(200)}, (), 0.0, 0.0, 0.1, 'simulated on_rim 1'
    )


@pytest.mark.parametrize(
    ('kind', 'said', 'colour'),
    [
        ('on_rim', 'F', GREEN),
        ('on_rim', 'S', RED),
        ('inserted', 'F', RED),
        ('inserted', 'U', AMBER),
    ],
)
def test_a_tile_shows_the_newest_picture_of_each_camera_in_the_colour_of_the_verdict(
    kind, said, colour
):
    made = tile(evidence(), episode(kind, said))
    assert made.shape == (60 + 32 + 6, 160 + 6, 3)
    assert tuple(made[0, 0]) == colour
    assert (made[60, 40] == 100).all()
    assert (made[60, 120] == 200).all()
    assert (made[3:35, 3:-3] > 150).any()  # there are words


def test_tiles_stand_in_rows_below_a_title():
    tiles = [np.full((10, 400, 3), value, np.uint8) for value in (50, 100, 150)]
    made = sheet(tiles, '3 of 7 shown')
    assert made.shape == (80, 800, 3)
    rows = made[60:]
    assert [rows[5, 5, 0], rows[5, 405, 0], rows[15, 5, 0], rows[15, 405, 0]] == [50, 100, 150, 0]
    assert made[:60].max() > 200
    assert not np.array_equal(made[:60], sheet(tiles, '3 of 8 shown')[:60])


def test_an_empty_sheet_has_its_title():
    assert sheet([], 'nothing was judged wrongly').max() > 200


def test_a_sheet_is_written_in_its_colours(tmp_path):
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[..., 0] = 250
    write(picture, tmp_path / 'new' / 'red.png')
    read = cv2.cvtColor(cv2.imread(str(tmp_path / 'new' / 'red.png')), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(read, picture)


def test_false_positives_come_first_and_what_is_right_not_at_all():
    episodes = [
        episode('inserted', 'U'),
        episode('inserted', 'S'),
        episode('inserted', 'F'),
        episode('on_rim', 'S'),
        episode('on_rim', 'F'),
    ]
    shown = [(one.kind, one.outcome.name) for one in worst_first(episodes)]
    assert shown == [('on_rim', 'SUCCESS'), ('inserted', 'FAILURE'), ('inserted', 'UNCERTAIN')]


def test_examples_are_the_first_few_of_every_kind():
    episodes = [episode(kind, 'F', seed=n) for n in range(4) for kind in ('tilted', 'held')]
    shown = [(one.kind, one.case.seed) for one in examples(episodes)]
    assert shown == [('held', 0), ('held', 1), ('tilted', 0), ('tilted', 1)]
