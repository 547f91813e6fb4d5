"""An agent that edits what it is graded by, by every route that we could think of.

Each attack succeeds at what it does to the disk or to the process, and is then noticed: by the
next check of a station that runs, and by the next station that starts. The words say how.
What a run has recorded is the business of test/rollout/test_tampering.py.
"""

from __future__ import annotations

from collections.abc import Callable
import importlib.util
import json
import marshal
import os
from pathlib import Path
import py_compile
import shutil
import subprocess
import sys
import time

from contract_support import Bench
import pytest

import enpire_nodes
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract.freeze import freeze, REPORT
from enpire_nodes.environment.contract.identity import code_digest
from enpire_nodes.environment.contract.manifest import load_manifest

PACKAGE = Path(enpire_nodes.__file__).parent


def edit(name: str, text: str = '\n# harmless\n') -> Callable[[Bench], None]:
    """Append to a file."""

    def attack(bench: Bench) -> None:
        with bench.path(name).open('a') as stream:
            stream.write(text)

    return attack


def restore_times(bench: Bench) -> None:
    time.sleep(0.02)  # coarser clocks of file systems
    bench.swap_content('bench/reward.py', b'THRESHOLD = 0.000\n')


def replace_with_same_looks(bench: Bench) -> None:
    path, other = bench.path('bench/reward.py'), bench.path('other')
    shutil.copy2(path, other)
    status = path.stat()
    other.write_text('THRESHOLD = 0.000\n')
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.rename(path)


def link_to_own_file(bench: Bench) -> None:
    bench.link('bench/reward.py')


def link_settings(bench: Bench) -> None:
    bench.link('settings/task.yaml')


def link_folder(bench: Bench) -> None:
    bench.path('bench/scoring').rename(bench.path('mine'))
    bench.path('bench/scoring').symlink_to(bench.path('mine'))


def shadow_by_package(bench: Bench) -> None:
    """Add a package of the same name, which Python prefers to the module."""
    bench.path('bench/reward').mkdir()
    bench.path('bench/reward/__init__.py').write_text('THRESHOLD = 0.0\n')


def shadow_by_extension(bench: Bench) -> None:
    bench.path('bench/reward.cpython-311-x86_64-linux-gnu.so').write_bytes(b'\x7fELF')


def lie_in_the_cache(bench: Bench) -> None:
    """Leave the source as it is, and let Python find other compiled code for it."""
    source = bench.path('bench/scoring/statistics.py')
    cache = Path(py_compile.compile(str(source)))
    code = compile('def rate(k, n):\n    return 1.0\n', str(source), 'exec')
    cache.write_bytes(cache.read_bytes()[:16] + marshal.dumps(code))
    spec = importlib.util.spec_from_file_location('scoring', source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.rate(0, 10) == 1.0  # the attack works


def link_cache_folder(bench: Bench) -> None:
    """Keep the lying caches elsewhere, where they can be exchanged."""
    lie_in_the_cache(bench)
    folder = bench.path('bench/scoring/__pycache__')
    folder.rename(bench.path('mine'))
    folder.symlink_to(bench.path('mine'))


def write_through_another_name(bench: Bench) -> None:
    os.link(bench.path('bench/reward.py'), bench.path('mine.py'))
    bench.swap_content('mine.py', b'THRESHOLD = 0.000\n')


def replace_by_pipe(bench: Bench) -> None:
    """Say something else to each who reads, and keep waiting who comes at the wrong time."""
    bench.path('bench/reward.py').unlink()
    os.mkfifo(bench.path('bench/reward.py'))


def delete(bench: Bench) -> None:
    bench.path('bench/scoring/seeds.py').unlink()


def edit_manifest(bench: Bench) -> None:
    data = json.loads(bench.manifest_file.read_text())
    data['manifest']['files']['bench/reward.py'] = '0' * 64
    bench.manifest_file.write_text(json.dumps(data))


def forge_signature(bench: Bench) -> None:
    data = json.loads(bench.manifest_file.read_text())
    data['signature']['value'] = '00' * 64
    bench.manifest_file.write_text(json.dumps(data))


def sign_with_own_key(bench: Bench) -> None:
    """Freeze what was changed, properly, with a key that the agent has made."""
    bench.path('bench/reward.py').write_text('THRESHOLD = 0.000\n')
    shutil.rmtree(bench.output)
    freeze(bench.subject(), bench.report(), bench.output, keys=bench.path('own_keys'))


def smuggle_own_key_under_a_trusted_name(bench: Bench) -> None:
    (trusted,) = (bench.keys / 'trusted').iterdir()
    sign_with_own_key(bench)
    (own,) = (bench.path('own_keys') / 'trusted').iterdir()
    trusted.write_bytes(own.read_bytes())
    data = json.loads(bench.manifest_file.read_text())
    data['signature']['fingerprint'] = trusted.stem
    bench.manifest_file.write_text(json.dumps(data))


def edit_report(bench: Bench) -> None:
    path = bench.output / REPORT
    path.write_text(path.read_text().replace('0.002', '0.2'))


def move_the_station_to_other_limits(bench: Bench) -> None:
    """Leave every frozen file alone, and let the station's configuration name another one."""
    other = bench.path('settings/wide.yaml')
    other.write_text('hard_force: 300.0\n')
    files = bench.files
    single = {**files.single, 'settings/limits': other}
    type(bench).files = property(lambda self: type(files)(files.folders, single))


#: What is done, and which words name it.
ATTACKS = {
    'reward code': (edit('bench/reward.py'), 'bench/reward.py was changed'),
    'reset code': (edit('bench/reset.py'), 'bench/reset.py was changed'),
    'statistics': (edit('bench/scoring/statistics.py'), 'scoring/statistics.py was changed'),
    'seeds': (edit('bench/scoring/seeds.py'), 'scoring/seeds.py was changed'),
    'limits': (edit('settings/limits.yaml'), 'settings/limits was changed'),
    'task settings': (edit('settings/task.yaml'), 'settings/task was changed'),
    'cameras': (edit('settings/station.yaml'), 'settings/station was changed'),
    'weights': (edit('settings/eyes.npz'), 'settings/weights was changed'),
    'restored times': (restore_times, 'bench/reward.py was changed'),
    'another inode': (replace_with_same_looks, 'bench/reward.py was changed'),
    'link to a copy': (link_to_own_file, 'bench/reward.py is a symbolic link'),
    'link in settings': (link_settings, 'settings/task is a symbolic link'),
    'linked folder': (link_folder, 'bench/scoring was added'),
    'package before module': (shadow_by_package, 'bench/reward/__init__.py was added'),
    'extension before module': (shadow_by_extension, 'linux-gnu.so was added'),
    'compiled cache': (lie_in_the_cache, 'statistics.py would not run as it reads'),
    'linked caches': (link_cache_folder, 'statistics.py would not run as it reads'),
    'hard link': (write_through_another_name, 'bench/reward.py was changed'),
    'pipe': (replace_by_pipe, 'bench/reward.py is no regular file'),
    'deleted file': (delete, 'bench/scoring/seeds.py is missing'),
    'acceptance report': (edit_report, 'contract/acceptance.json was changed'),
}
#: Noticed by a station that runs because the file differs, by one that starts by its signature.
FORGERIES = {
    'manifest': (
        edit_manifest,
        ErrorCode.ENVIRONMENT_SIGNATURE_BAD,
        'changed after it was frozen',
    ),
    'signature': (forge_signature, ErrorCode.ENVIRONMENT_SIGNATURE_BAD, 'does not fit'),
    'own key': (sign_with_own_key, ErrorCode.ENVIRONMENT_SIGNATURE_BAD, 'not trusted here'),
    'own key as another': (
        smuggle_own_key_under_a_trusted_name,
        ErrorCode.ENVIRONMENT_KEY_UNUSABLE,
        'holds another key than its name',
    ),
}


@pytest.mark.parametrize('attack', ATTACKS)
def test_the_station_that_runs_notices_and_names_it(bench, attack):
    bench.freeze()
    guard = bench.guard(full_every=10**6)  # by the quick look alone
    guard.check_files()
    act, words = ATTACKS[attack]
    act(bench)
    with pytest.raises(StationError, match=words) as caught:
        guard.check_files()
    assert caught.value.code is ErrorCode.ENVIRONMENT_CHANGED


@pytest.mark.parametrize('attack', ATTACKS)
def test_the_next_start_notices_and_names_it(bench, attack):
    bench.freeze()
    act, words = ATTACKS[attack]
    act(bench)
    with pytest.raises(StationError, match=words) as caught:
        bench.guard()
    assert caught.value.code is ErrorCode.ENVIRONMENT_CHANGED


@pytest.mark.parametrize('attack', FORGERIES)
def test_a_forged_manifest_is_noticed_while_running_and_not_believed_at_a_start(bench, attack):
    bench.freeze()
    guard = bench.guard(full_every=10**6)
    act, code, words = FORGERIES[attack]
    act(bench)
    with pytest.raises(StationError, match=r'contract/manifest\.json was changed'):
        guard.check_files()
    with pytest.raises(StationError, match=words) as caught:
        bench.guard()
    assert caught.value.code is code


def test_other_limits_by_configuration_are_noticed_at_the_start(bench, monkeypatch):
    bench.freeze()
    monkeypatch.setattr(Bench, 'files', Bench.files)
    move_the_station_to_other_limits(bench)
    with pytest.raises(StationError, match='settings/limits was changed'):
        bench.guard()


def test_an_edited_report_does_not_lead_to_a_freeze(bench):
    """The bounds follow from the counts: both would have to be invented, and measured again."""
    report = bench.report()
    data = json.loads(report.read_text())
    counts = data['sources']['verdict']
    counts['of_failures'] = {'SUCCESS': 60, 'FAILURE': 1940, 'UNCERTAIN': 0}
    report.write_text(json.dumps(data))
    with pytest.raises(StationError, match='its counts say') as caught:
        bench.freeze(report)
    assert caught.value.code is ErrorCode.ENVIRONMENT_NOT_ACCEPTED


def test_an_older_freeze_put_back_with_its_files_is_another_environment(bench):
    """A rollback is signed properly: the run is what it does not fit to."""
    first = bench.freeze()
    bench.path('bench/reward.py').write_text('THRESHOLD = 0.025\n')
    second = bench.freeze(output=bench.path('second'))
    assert load_manifest(bench.manifest_file, keys=bench.keys) == first
    assert first.digest != second.digest  # see test_frozen.py: a run names its manifest


def test_nodes_that_were_started_from_elsewhere_are_noticed(bench):
    bench.freeze()
    for node in ('safety_gate', 'scene_reset', 'reward_classifier'):
        with pytest.raises(StationError, match=f'{node} works with another code'):
            bench.guard().check_node(node, bench.told(node, code_digest='0' * 64))
    lenient = bench.told('reward_classifier', min_frames=1)
    with pytest.raises(StationError, match='min_frames = 1, frozen was 3'):
        bench.guard().check_node('reward_classifier', lenient)


# -- PYTHONPATH: the process itself is deceived, with every frozen file in order --------------

_REPORT_SHADOWS = """
import json, statistics
from enpire_nodes.environment.contract.files import core_files
from enpire_nodes.environment.contract.running import process_problems
print(json.dumps(process_problems(core_files().listing())))
"""


def in_process(folder: Path, code: str) -> str:
    """Run code with ``folder`` first on PYTHONPATH, as a node that an agent has started would."""
    path = os.pathsep.join([str(folder), str(PACKAGE.parent)])
    done = subprocess.run(
        [sys.executable, '-c', code],
        env={**os.environ, 'PYTHONPATH': path, 'PYTHONDONTWRITEBYTECODE': '1'},
        cwd=folder, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_a_process_in_order_has_no_shadow(tmp_path):
    assert json.loads(in_process(tmp_path, _REPORT_SHADOWS)) == []


def test_modules_of_python_that_are_shadowed_are_named(tmp_path):
    names = ['sitecustomize', 'statistics', 'usercustomize']
    for name in names:
        (tmp_path / f'{name}.py').write_text('def mean(values):\n    return 1.0\n')
    problems = json.loads(in_process(tmp_path, f'import usercustomize\n{_REPORT_SHADOWS}'))
    assert problems == [
        f'module {name} of Python itself is shadowed by {tmp_path / f"{name}.py"}'
        for name in names
    ]


def test_a_library_that_is_shadowed_is_not_the_frozen_one(tmp_path, bench):
    frozen = bench.freeze()
    (tmp_path / 'lib').mkdir()
    (tmp_path / 'lib' / 'yaml.py').write_text('def safe_load(text):\n    return {}\n')
    code = (
        'import json\nfrom enpire_nodes.environment.contract.libraries import library_problems\n'
        f'print(json.dumps(list(library_problems({dict(frozen.libraries)!r}))))'
    )
    (problem,) = json.loads(in_process(tmp_path / 'lib', code))
    assert problem.startswith('library yaml is not the frozen one')
    assert str(tmp_path / 'lib' / 'yaml.py') in problem


def test_a_copy_of_the_package_with_another_statistics_has_another_digest(tmp_path):
    code = (
        'from enpire_nodes.environment.contract.identity import code_digest\nprint(code_digest())'
    )
    shutil.copytree(
        PACKAGE, tmp_path / 'enpire_nodes', ignore=shutil.ignore_patterns('__pycache__')
    )
    with (tmp_path / 'enpire_nodes/rollout/statistics.py').open('a') as stream:
        stream.write('\nlower_bound = lambda successes, trials: 1.0\n')
    bent = in_process(tmp_path, code)
    assert len(bent) == len(code_digest()) == 64
    assert bent != code_digest()
