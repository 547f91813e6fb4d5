"""Settings files: what is accepted, and what a bad one is told."""

from dataclasses import dataclass, field

import pytest

from enpire_nodes.tasks.loading import read_settings, settings_digest, SettingsError, value


@dataclass(frozen=True)
class Inner:
    speed: float = value(0.1, 0.0, 1.0, 'm/s')
    place: tuple[float, float] = value((0.0, 1.0), -2.0, 2.0, 'm')


@dataclass(frozen=True)
class Outer:
    name: str = 'x'
    count: int = value(3, 1, 9)
    fast: bool = False
    inner: Inner = field(default_factory=Inner)

    def __post_init__(self):
        if self.count == 7:
            raise ValueError('seven is taken')


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / 'settings.yaml'
        path.write_text(text)
        return path

    return write


def test_reads_what_is_there_and_keeps_the_defaults(file):
    settings = read_settings(Outer, file('count: 5\ninner: {place: [1, -1]}\n'))
    assert settings == Outer(count=5, inner=Inner(place=(1.0, -1.0)))
    assert isinstance(settings.inner.place[0], float)


def test_an_empty_file_gives_the_defaults(file):
    assert read_settings(Outer, file('')) == Outer()


@pytest.mark.parametrize(
    ('text', 'key', 'reason'),
    [
        ('speed: 1', 'speed', 'unknown'),
        ('inner: {sped: 1}', 'inner.sped', 'known keys here: place, speed'),
        ('inner: {speed: fast}', 'inner.speed', 'float'),
        ('inner: {speed: 1.5}', 'inner.speed', '0.0 ... 1.0 m/s'),
        ('inner: {speed: .nan}', 'inner.speed', 'not within'),
        ('inner: {place: [1]}', 'inner.place', 'list of 2'),
        ('inner: {place: [1, 3]}', r'inner.place[1]', 'not within'),
        ('inner: 3', 'inner', 'mapping'),
        ('count: 2.5', 'count', 'int'),
        ('count: true', 'count', 'int'),
        ('fast: 1', 'fast', 'bool'),
        ('name: 5', 'name', 'str'),
        ('count: 7', '', 'seven is taken'),
        ('- 1', '', 'mapping'),
        ('a: [', '', 'YAML'),
    ],
)
def test_names_file_key_and_reason(file, text, key, reason):
    path = file(text)
    with pytest.raises(SettingsError) as caught:
        read_settings(Outer, path)
    assert caught.value.source == str(path)
    assert caught.value.key == key
    assert reason in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(SettingsError, match='cannot be read'):
        read_settings(Outer, tmp_path / 'none.yaml')


def test_the_digest_covers_settings_and_code_and_not_the_folder(tmp_path):
    here, there = tmp_path / 'a', tmp_path / 'b'
    for folder in (here, there):
        folder.mkdir()
        (folder / 'code.py').write_text('x = 1\n')
    first = settings_digest(Outer(), [here / 'code.py'])
    assert first == settings_digest(Outer(), [there / 'code.py'])
    assert first != settings_digest(Outer(count=4), [here / 'code.py'])
    (there / 'code.py').write_text('x = 2\n')
    assert first != settings_digest(Outer(), [there / 'code.py'])
