"""Which controllers there are, what their settings allow, and what changes a digest."""

import dataclasses

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers import registry
from enpire_nodes.rollout.controllers.settings import build, setting, specs

BUILT_IN = ('demonstrator', 'hold', 'learned', 'replay', 'scripted', 'spiral_search')


def test_the_built_in_ones_are_there():
    assert set(BUILT_IN) <= set(registry.names())


def test_an_unknown_one_is_refused_with_the_known_ones():
    with pytest.raises(StationError, match=r'hold.*learned.*spiral_search') as caught:
        registry.make('magic')
    assert caught.value.code == ErrorCode.POLICY_UNKNOWN_CONTROLLER


def test_one_that_cannot_be_imported_says_why(monkeypatch):
    monkeypatch.setitem(registry._BUILT_IN, 'broken', 'no_such_package.module:Class')
    with pytest.raises(StationError, match='no_such_package') as caught:
        registry.make('broken')
    assert caught.value.code == ErrorCode.POLICY_BAD_PARAMETER


def test_a_lab_adds_its_own(monkeypatch):
    class Entry:
        name = 'ours'
        value = 'enpire_nodes.rollout.controllers.hold:Hold'

    monkeypatch.setattr(
        registry, 'entry_points', lambda group: [Entry] * (group == 'enpire.controllers')
    )
    assert 'ours' in registry.names()
    assert type(registry.make('ours')).__name__ == 'Hold'


@pytest.mark.parametrize('name', BUILT_IN)
def test_every_setting_is_described_and_every_number_bounded(name):
    for spec in specs(registry.controller_class(name).Settings):
        assert len(spec.description) > 5
        if type(spec.default) in (int, float):
            assert spec.minimum <= spec.default <= spec.maximum
        assert type(spec.default) is not float or spec.unit


@pytest.mark.parametrize(
    ('values', 'said'),
    [
        ({'duration': -1.0}, 'at least 0 s'),
        ({'duration': 61.0}, 'at most 60 s'),
        ({'duration': float('nan')}, 'finite'),
        ({'duration': 'long'}, 'type float'),
        ({'duration': True}, 'type float'),
        ({'speed': 1.0}, 'unknown setting speed; there are duration'),
    ],
)
def test_a_bad_setting_is_refused_with_the_reason(values, said):
    with pytest.raises(StationError, match=said) as caught:
        registry.make('hold', values)
    assert caught.value.code == ErrorCode.POLICY_BAD_PARAMETER


def test_a_whole_number_is_good_enough_for_a_float():
    kind = registry.controller_class('hold').Settings
    assert build(kind, {'duration': 3}).duration == 3.0


def test_a_choice_is_kept():
    @dataclasses.dataclass(frozen=True)
    class Settings:
        mode: str = setting('a', 'one of two', choices=('a', 'b'))

    assert build(Settings, {'mode': 'b'}).mode == 'b'
    with pytest.raises(StationError, match='one of a, b'):
        build(Settings, {'mode': 'c'})


def test_a_setting_without_a_default_is_a_mistake():
    @dataclasses.dataclass(frozen=True)
    class Settings:
        speed: float

    with pytest.raises(TypeError, match='speed needs a default'):
        specs(Settings)


def test_the_digest_is_that_of_the_settings_in_force():
    assert registry.digest('hold') == registry.digest('hold', {'duration': 2.0})
    assert registry.digest('hold') != registry.digest('hold', {'duration': 2.1})
    assert registry.digest('hold') != registry.digest('scripted')


def test_the_digest_follows_the_code(monkeypatch, tmp_path):
    before = registry.digest('scripted'), registry.digest('hold')
    motion = __import__('sys').modules['enpire_nodes.rollout.controllers.motion']
    copy = tmp_path / 'motion.py'
    copy.write_text('# changed\n', encoding='utf-8')
    monkeypatch.setattr(motion, '__file__', str(copy))
    assert registry.digest('scripted') != before[0]
    assert registry.digest('hold') == before[1]


def test_settings_are_pinned_by_the_controllers_that_follow_something(monkeypatch):
    values = {'duration': 1.0}
    assert registry.pinned('hold', values) == values
    assert registry.pinned('hold', values) is not values
    assert registry.pinned('hold') == {}
    kind = registry.controller_class('hold')
    monkeypatch.setattr(
        kind, 'pin', staticmethod(lambda values: {**values, 'duration': 2.0}), raising=False
    )
    assert registry.pinned('hold', values) == {'duration': 2.0}
    assert values == {'duration': 1.0}


def test_an_unknown_controller_cannot_be_pinned():
    with pytest.raises(StationError) as caught:
        registry.pinned('magic', {})
    assert caught.value.code == ErrorCode.POLICY_UNKNOWN_CONTROLLER
