"""Strict reading of mappings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from enpire_nodes.bringup.strict import ConfigurationError, read_yaml, Section, suggest

Write = Callable[..., Path]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r'nowhere\.yaml: cannot be read: No such file'):
        read_yaml(tmp_path / 'nowhere.yaml')


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('a: [1', 'not valid YAML'),
        ('[1, 2]', 'must hold a mapping'),
        ('a: 1\nb: 2\na: 3', "the key 'a' is given twice"),
    ],
)
def test_what_is_no_mapping_is_refused(write: Write, text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        read_yaml(write(text))


def test_an_empty_file_is_an_empty_mapping(write: Write) -> None:
    assert read_yaml(write('# nothing\n')) == {}


def test_a_whole_number_is_a_number_but_true_is_not() -> None:
    assert Section('f', {'speed': 2}).take('speed', 1.0) == 2.0
    with pytest.raises(ConfigurationError, match='f: speed: must be a number, not True'):
        Section('f', {'speed': True}).take('speed', 1.0)
    with pytest.raises(ConfigurationError, match='f: seed: must be a whole number'):
        Section('f', {'seed': True}).take('seed', 1)


def test_errors_name_the_key_within_its_section() -> None:
    section = Section('f', {'respawn': {'delay': 'soon'}}).section('respawn')
    with pytest.raises(ConfigurationError, match=r"f: respawn\.delay: must be a number.*'soon'"):
        section.take('delay', 0.5)


def test_a_section_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(ConfigurationError, match='f: files: must be a mapping, not a list'):
        Section('f', {'files': [1]}).section('files')


def test_what_nobody_took_is_refused_with_a_suggestion() -> None:
    section = Section('f', {'pacee': 'realtime'})
    section.take('pace', 'realtime')
    with pytest.raises(ConfigurationError, match=r'f: pacee: is unknown; did you mean pace\?'):
        section.finish()


def test_a_check_gives_the_reason() -> None:
    with pytest.raises(ConfigurationError, match='f: a: too small'):
        Section('f', {'a': 1}).take('a', 5, check=lambda value: 'too small')


def test_suggestions_fall_back_on_what_there_is() -> None:
    assert suggest('xyz', ['b', 'a']) == 'known: a, b'
    assert suggest('xyz', []) == 'known: none'
