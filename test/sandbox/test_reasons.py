"""Why there is no sandbox, and what to do."""

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.sandbox import bubblewrap, reasons
from enpire_nodes.sandbox.profile import Profile

REFUSED = 'bwrap: setting up uid map: Permission denied\n'


@pytest.fixture
def fresh():
    bubblewrap.availability.cache_clear()
    yield
    bubblewrap.availability.cache_clear()


@pytest.mark.parametrize(
    ('setting', 'value', 'said'),
    [
        ('kernel/unprivileged_userns_clone', '0', 'sysctl -w kernel.unprivileged_userns_clone=1'),
        ('user/max_user_namespaces', '0', 'sysctl -w user.max_user_namespaces='),
        ('kernel/apparmor_restrict_unprivileged_userns', '1', 'bwrap-userns-restrict'),
    ],
)
def test_the_setting_that_forbids_it_is_named(tmp_path, setting, value, said):
    file = tmp_path / 'proc/sys' / setting
    file.parent.mkdir(parents=True)
    file.write_text(f'{value}\n')
    found = reasons.explain(REFUSED, tmp_path)
    assert said in found
    assert 'setting up uid map: Permission denied' in found


def test_a_container_is_told_how_to_be_started(tmp_path):
    (tmp_path / '.dockerenv').touch()
    assert '--security-opt' in reasons.explain(REFUSED, tmp_path)


def test_an_unknown_cause_shows_what_to_try(tmp_path):
    assert 'try `bwrap' in reasons.explain('', tmp_path)


def test_an_old_version_is_named():
    found = reasons.explain('bwrap: Unknown option --disable-userns')
    assert 'too old' in found


def test_a_missing_program_is_refused_with_the_package(tmp_path, monkeypatch, fresh):
    monkeypatch.setenv('PATH', str(tmp_path))
    assert not bubblewrap.availability().usable
    with pytest.raises(StationError, match='apt-get install bubblewrap') as caught:
        bubblewrap.command(Profile(tmp_path), ['true'])
    assert caught.value.code == ErrorCode.SUPERVISOR_SANDBOX_MISSING


def test_a_bubblewrap_that_is_forbidden_is_found_out_by_trying(tmp_path, monkeypatch, fresh):
    program = tmp_path / 'bwrap'
    program.write_text(
        '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path}:/usr/bin:/bin')
    found = bubblewrap.availability()
    assert not found.usable
    assert 'No permissions to create new namespace' in found.reason
