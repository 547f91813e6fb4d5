"""A compiled cache that says something else than its source is found."""

import importlib.util
import marshal
import os
import py_compile

import pytest

from enpire_nodes.environment.contract import check
from enpire_nodes.environment.contract.caches import cache_of, cache_problem
from enpire_nodes.environment.contract.check import FileWatch
from enpire_nodes.environment.contract.files import digests

HONEST, LYING = 'def verdict():\n    return 0.02\n', 'def verdict():\n    return 9.99\n'


@pytest.fixture
def module(tmp_path):
    path = tmp_path / 'judge.py'
    path.write_text(HONEST)
    return path


def lie(path, mode=py_compile.PycInvalidationMode.TIMESTAMP):
    """Let Python find compiled code of another text, made to look like that of ``path``."""
    text, status = path.read_text(), path.stat()
    path.write_text(LYING)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    cache = py_compile.compile(str(path), invalidation_mode=mode)
    path.write_text(text)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return cache


def runs(path) -> float:
    """Import a file the way Python does, and ask it."""
    spec = importlib.util.spec_from_file_location('judge', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.verdict()


def test_an_honest_cache_is_in_order(module):
    assert cache_problem(module, cache_of(module)) == ''  # there is none yet
    for mode in py_compile.PycInvalidationMode:
        py_compile.compile(str(module), invalidation_mode=mode)
        assert cache_of(module).is_file()
        assert cache_problem(module, cache_of(module)) == ''


@pytest.mark.parametrize(
    'mode',
    [py_compile.PycInvalidationMode.TIMESTAMP, py_compile.PycInvalidationMode.UNCHECKED_HASH],
)
def test_a_cache_that_python_would_run_instead_is_found(module, mode):
    lie(module, mode)
    assert runs(module) == 9.99  # the attack works
    assert module.read_text() == HONEST
    assert 'made of another text' in cache_problem(module, cache_of(module))


def test_a_cache_that_carries_the_hash_of_the_honest_source_is_found(module):
    cache = cache_of(module)
    py_compile.compile(str(module), invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    header = cache.read_bytes()[:16]
    cache.write_bytes(header + marshal.dumps(compile(LYING, str(module), 'exec')))
    assert runs(module) == 9.99
    assert 'made of another text' in cache_problem(module, cache)


def test_a_damaged_cache_is_found_and_an_outdated_one_is_no_danger(module):
    py_compile.compile(str(module))
    cache = cache_of(module)
    cache.write_bytes(cache.read_bytes()[:20])
    assert 'damaged' in cache_problem(module, cache)
    module.write_text(HONEST + '# newer\n')
    assert cache_problem(module, cache) == ''
    assert runs(module) == 0.02


def test_a_source_that_goes_while_it_is_compared_is_named(module):
    py_compile.compile(str(module))
    cache = cache_of(module)
    module.unlink()
    assert cache_problem(module, cache) == f'{module} cannot be read (No such file or directory)'


@pytest.mark.parametrize('content', [b'(\x01\x00\x00\x00' * 5000, b'?', b''])
def test_a_cache_that_cannot_be_read_is_damaged(module, content):
    py_compile.compile(str(module))
    cache = cache_of(module)
    cache.write_bytes(cache.read_bytes()[:16] + content)
    assert 'damaged' in cache_problem(module, cache)


def test_a_cache_that_waits_for_its_source_to_be_touched_is_found(bench):
    """Python does not believe it yet: it will, once the source has the time that it names."""
    source = bench.path('bench/reward.py')
    py_compile.compile(str(source))
    cache, later = cache_of(source), int(source.stat().st_mtime) + 100
    header = cache.read_bytes()[:8] + later.to_bytes(4, 'little') + cache.read_bytes()[12:16]
    cache.write_bytes(header + marshal.dumps(compile('THRESHOLD = 0.0', str(source), 'exec')))
    watch = FileWatch(digests(bench.files), bench.files)
    assert watch.full() == watch.quick() == []
    os.utime(source, (later, later))
    (problem,) = watch.quick()
    assert 'would not run as it reads' in problem


def test_reading_everything_again_compares_a_cache_again_only_if_it_changed(bench, monkeypatch):
    compared = []
    real = check.cache_problem
    monkeypatch.setattr(check, 'cache_problem', lambda *a: compared.append(a) or real(*a))
    source = bench.path('bench/reward.py')
    py_compile.compile(str(source))
    watch = FileWatch(digests(bench.files), bench.files)
    assert watch.full() == watch.full() == []
    assert len(compared) == 1
    cache = cache_of(source)
    bench.swap_content(str(cache.relative_to(bench.root)), cache.read_bytes()[:-1] + b'x')
    assert len(watch.full()) == 1
    assert len(compared) == 2


def test_the_watch_looks_at_caches_that_appear_later(bench):
    watch = FileWatch(digests(bench.files), bench.files)
    assert watch.full() == []
    source = bench.path('bench/scoring/statistics.py')
    py_compile.compile(str(source))
    assert watch.quick() == []
    cache = cache_of(source)
    code = compile('def rate(k, n):\n    return 1.0\n', str(source), 'exec')
    cache.write_bytes(cache.read_bytes()[:16] + marshal.dumps(code))
    (problem,) = watch.quick()
    assert problem.startswith('bench/scoring/statistics.py would not run as it reads')
