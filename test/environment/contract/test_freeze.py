"""Freezing writes what a station can start from; each freeze is its own."""

import json

from contract_support import PARAMETERS
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract import freeze as module
from enpire_nodes.environment.contract.files import digests


def test_the_manifest_names_every_file_library_digest_and_parameter(bench):
    manifest = bench.freeze()
    assert manifest.files == digests(bench.files)
    assert manifest.digests == bench.digests
    assert manifest.parameters == PARAMETERS
    assert {'numpy', 'cv2'} <= set(manifest.libraries)
    assert '@' in manifest.frozen_by
    content = bench.manifest_file.read_text()
    assert 'PRIVATE' not in content
    assert 'public_key' not in content
    assert json.loads(content)['manifest']['files'] == manifest.files


def test_a_second_freeze_needs_a_folder_of_its_own_and_is_another_environment(bench):
    first = bench.freeze()
    with pytest.raises(StationError, match='a new freeze is a new campaign') as caught:
        bench.freeze()
    assert caught.value.code is ErrorCode.ENVIRONMENT_MANIFEST_INVALID
    bench.path('settings/task.yaml').write_text('depth: 0.03\n')
    assert bench.freeze(output=bench.root / 'second').digest != first.digest


def test_a_crash_leaves_no_manifest_and_the_next_freeze_goes_on(bench, monkeypatch):
    def crash(path, content, *, mode):
        path.with_name('partial').write_bytes(content[:99])
        raise KeyboardInterrupt

    monkeypatch.setattr(module, 'write_new', crash)
    with pytest.raises(KeyboardInterrupt):
        bench.freeze()
    assert not bench.manifest_file.exists()
    monkeypatch.undo()
    bench.freeze()
    bench.guard()


def test_of_two_freezes_at_once_the_second_replaces_nothing(bench, monkeypatch):
    real, first = module.write_new, b'the manifest of the first'

    def late(path, content, *, mode):
        path.write_bytes(first)
        return real(path, content, mode=mode)

    monkeypatch.setattr(module, 'write_new', late)
    with pytest.raises(StationError, match='a new freeze is a new campaign'):
        bench.freeze()
    assert bench.manifest_file.read_bytes() == first


def test_the_report_is_kept_as_it_was_judged(bench, monkeypatch):
    report = bench.report()
    judged = report.read_bytes()
    real = module.require_accepted

    def swap(*given, **named):
        found = real(*given, **named)
        report.write_text('{}')
        return found

    monkeypatch.setattr(module, 'require_accepted', swap)
    bench.freeze(report)
    assert (bench.output / module.REPORT).read_bytes() == judged
    bench.guard()


def test_only_regular_files_are_frozen(bench):
    report = bench.report()
    bench.link('settings/limits.yaml')
    with pytest.raises(StationError, match=r'limits\.yaml is a symbolic link') as caught:
        bench.freeze(report)
    assert caught.value.code is ErrorCode.ENVIRONMENT_CHANGED


def test_a_folder_that_cannot_be_written_is_named(bench):
    bench.output.write_text('a file')
    with pytest.raises(StationError, match='cannot be written'):
        bench.freeze()
