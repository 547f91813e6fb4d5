"""The time that a person looked: by a clock that nobody sets."""

import json
import time

import pytest

from enpire_nodes.cli import audit_look
from enpire_nodes.common.errors import ErrorCode, StationError


@pytest.fixture
def note(tmp_path):
    return tmp_path / 'audit_1.json'


def rewrite(note, **changes):
    note.write_text(json.dumps({**json.loads(note.read_text()), **changes}))


def test_the_time_is_counted_from_when_it_was_shown(note):
    audit_look.begin(note)
    rewrite(note, monotonic=time.monotonic() - 30.0)
    assert audit_look.seconds_since(note) == pytest.approx(30.0, abs=5.0)


def test_setting_the_wall_clock_changes_nothing(note, monkeypatch):
    audit_look.begin(note)
    monkeypatch.setattr(time, 'time', lambda: 0.0)
    assert audit_look.seconds_since(note) < 5.0


def test_nobody_looks_for_hours(note):
    audit_look.begin(note)
    rewrite(note, monotonic=time.monotonic() - 7200.0)
    assert audit_look.seconds_since(note) == audit_look.LONGEST


@pytest.mark.parametrize('content', [None, '', '{}', '[]', '{"boot": "another", "monotonic": 1}'])
def test_what_was_not_shown_since_the_machine_started_must_be_said(note, content):
    if content is not None:
        note.write_text(content)
    with pytest.raises(StationError, match='--seconds') as caught:
        audit_look.seconds_since(note)
    assert caught.value.code is ErrorCode.RUNNER_BAD_REQUEST


def test_without_a_boot_to_tell_apart_the_time_must_be_said(note, monkeypatch):
    monkeypatch.setattr(audit_look, 'boot_id', lambda: '')
    audit_look.begin(note)
    with pytest.raises(StationError, match='--seconds'):
        audit_look.seconds_since(note)


def test_a_look_is_counted_for_one_label(note):
    audit_look.begin(note)
    for _ in range(2):
        audit_look.end(note)
    with pytest.raises(StationError, match='--seconds'):
        audit_look.seconds_since(note)


def test_a_note_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / 'run').write_text('no folder')
    with pytest.raises(StationError, match=r'cannot note in .*run/audit_1\.json'):
        audit_look.begin(tmp_path / 'run' / 'audit_1.json')


def test_a_look_that_cannot_be_forgotten_is_told(note, caplog):
    note.mkdir()
    audit_look.end(note)
    assert 'booked twice' in caplog.text
    audit_look.end(note.with_name('none'))
