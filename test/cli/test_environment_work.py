"""What the commands of ``enpire environment`` share."""

import argparse

import pytest
from stick_evidence import CROPS, episode

from enpire_nodes.cli.environment_work import count, labelled_files, make_folder
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.evidence import save


@pytest.mark.parametrize('text', ['-1', '1.5', '', 'many', '²'])
def test_what_counts_nothing_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match='whole number'):
        count(text)


def test_nothing_and_many_are_numbers():
    assert (count('0'), count('3000')) == (0, 3000)


def test_evidence_is_found_below_a_folder_and_cut(tmp_path):
    for seed in range(2):
        save(episode(seed, label=bool(seed)), tmp_path / 'deep' / f'{seed}.npz')
    found = labelled_files(tmp_path, CROPS)
    assert [path.name for path in found] == ['0.npz', '1.npz']
    assert [one.label for one in found.values()] == [False, True]
    assert all(one.crops['side'].shape == (3, 32, 32, 3) for one in found.values())
    assert labelled_files(None, CROPS) == {}


@pytest.mark.parametrize(
    ('stored', 'code'),
    [
        (True, ErrorCode.ENVIRONMENT_UNLABELLED),
        (False, ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES),
    ],
)
def test_no_evidence_and_none_with_a_label_are_refused(tmp_path, stored, code):
    if stored:
        save(episode(1, success=True), tmp_path / 'one.npz')
    with pytest.raises(StationError, match=str(tmp_path)) as caught:
        labelled_files(tmp_path, CROPS)
    assert caught.value.code is code


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    make_folder(tmp_path / 'a' / 'b')
    assert list((tmp_path / 'a' / 'b').iterdir()) == []
    (tmp_path / 'file').touch()
    with pytest.raises(StationError, match='--output'):
        make_folder(tmp_path / 'file' / 'b')
