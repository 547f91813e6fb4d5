"""Which boot a reading of the monotonic clock belongs to."""

from pathlib import Path

from enpire_nodes.common.clock import boot_id


def test_one_boot_has_one_name():
    assert boot_id() == boot_id()


def test_a_system_that_does_not_say_has_none(monkeypatch):
    def refuse(self, *arguments, **options):
        raise OSError('no /proc')

    monkeypatch.setattr(Path, 'read_text', refuse)
    assert boot_id() == ''
