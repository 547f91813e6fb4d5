"""The libraries that the environment stands on: as they were frozen, and as they were installed.

What an installer wrote down of a library (its ``RECORD``: a sha256 for each file) is what a
manifest holds; every file that this process has loaded of it is held against that record. A
library of the operating system has no record, and is known by its first file.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
import csv
from functools import lru_cache
import hashlib
from importlib.metadata import distribution, PackageNotFoundError
import importlib.util
import os
from pathlib import Path
import site
import sys

from enpire_nodes.common.errors import StationError
from enpire_nodes.environment.contract.files import combined_digest, file_digest

#: Module, and the distribution that brings it; ``mujoco`` is the simulated world.
LIBRARIES: Mapping[str, str] = {
    'cryptography': 'cryptography',
    'cv2': 'opencv-python',
    'mujoco': 'mujoco',
    'numpy': 'numpy',
    'rclpy': 'rclpy',
    'scipy': 'scipy',
    'transforms3d': 'transforms3d',
    'yaml': 'PyYAML',
}
#: Modules that Python imports at its start where it finds them.
START_MODULES = ('sitecustomize', 'usercustomize')
START_UP = 'start-up code (*.pth, sitecustomize, usercustomize)'
#: Of the environment: what the linker loads first, and whose standard library Python takes.
_VARIABLES = ('LD_AUDIT', 'LD_PRELOAD', 'PYTHONHOME')
#: What a ``RECORD`` lists that differs from one installation of the same library to the next.
_INSTALLERS_OWN = ('..', '__pycache__', '.dist-info')
_CODE = ('.py', '.so')
_SHA256 = 'sha256='


def library_digests() -> dict[str, str]:
    """Return version and sha256 of each library, by module; nothing is imported.

    And what else decides which code a process runs: variables of its environment, and the code
    that Python executes at every start.
    """
    found = {module: _library(module, name) for module, name in LIBRARIES.items()}
    return {
        **found,
        START_UP: _start_up(),
        **{name: os.environ.get(name, '') or 'none' for name in _VARIABLES},
        'PYTHONOPTIMIZE': str(sys.flags.optimize),
        'PYTHONPYCACHEPREFIX': sys.pycache_prefix or 'none',
    }


def library_problems(
    expected: Mapping[str, str], found: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Yield every library that is not the frozen one.

    :param found: as another process tells; None looks at this one.
    """
    here = library_digests() if found is None else found
    for name in sorted(expected, key=lambda name: (name not in LIBRARIES, name)):
        value = expected[name]
        other = here.get(name, 'missing')
        if other == value:
            continue
        number, now = value.partition(' ')[0], other.partition(' ')[0]
        if name not in LIBRARIES:
            yield f'{name} is not as it was frozen ({number}): {now}'
            continue
        place = f' is taken from {_origin(name)}' if found is None else ''
        yield f'library {name} is not the frozen one ({number}): {now}{place}'


def altered_libraries() -> list[str]:
    """Return every loaded module of a library that is not as it was installed, in words."""
    records = {module: _record_of(module, name) for module, name in LIBRARIES.items()}
    wrong = []
    for name, module in sorted(dict(sys.modules).items()):
        library = name.partition('.')[0]
        record = records.get(library)
        origin = file_of(module) if record else None
        if origin is None:
            continue
        path = _place(origin)
        if record.get(path) != _current(path, _stamp(path)):
            wrong.append(f'library {library} is not as it was installed: {name} runs from {path}')
    return wrong


def _library(module: str, name: str) -> str:
    origin = _origin(module)
    if origin is None:
        return 'missing'
    number, record, digest = _installed(name, tuple(sys.path))
    if _place(origin) in record:
        return f'{number} {digest}'
    try:
        return f'{number} {file_digest(origin.resolve())}'
    except StationError as error:
        return f'{number} {error.message}'


def _record_of(module: str, name: str) -> Mapping[Path, str]:
    """Return sha256 by place of what was installed; nothing if the module is not of it."""
    origin = _origin(module)
    _, record, _ = _installed(name, tuple(sys.path))
    return record if origin is not None and _place(origin) in record else {}


@lru_cache(maxsize=64)
def _installed(name: str, path: tuple[str, ...]) -> tuple[str, Mapping[Path, str], str]:
    """Return what an installer has written down: version, sha256 by place, and a sha256 of them.

    :param path: in which Python finds it: another one may find another one.
    """
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return 'unknown', {}, ''
    written = found.read_text('RECORD') or ''
    if (found.read_text('INSTALLER') or '').strip() == 'conda':
        written = ''  # it changes files after their record was made
    code = {}
    for row in csv.reader(written.splitlines()):
        file, hashed = (*row, '', '')[:2]
        own = any(part.endswith(_INSTALLERS_OWN) for part in file.split('/'))
        if hashed.startswith(_SHA256) and file.endswith(_CODE) and not own:
            code[file] = hashed
    root = Path(str(found.locate_file(''))).resolve()
    record = {root / file: digest for file, digest in code.items()}
    return found.version, record, combined_digest(code)


def _place(file: Path) -> Path:
    """Return a file below its folder without links; it may be one itself, as some install it."""
    return real_folder(file) / file.name


def real_folder(file: Path) -> Path:
    """Return the folder of a file without links; the file itself may be one."""
    return _real(file.parent)


@lru_cache(maxsize=4096)
def _real(folder: Path) -> Path:
    return folder.resolve()


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@lru_cache(maxsize=4096)
def _current(path: Path, stamp: tuple[int, ...]) -> str:
    """Return the sha256 of a file as in a record; read again once ``stamp`` has changed."""
    if not stamp:
        return ''
    digest = hashlib.sha256()
    try:
        with path.open('rb') as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError:
        return ''
    return _SHA256 + base64.urlsafe_b64encode(digest.digest()).decode().rstrip('=')


def _start_up() -> str:
    """Return number and sha256 of what Python executes at its start besides its own modules."""
    folders = set(site.getsitepackages())
    if site.ENABLE_USER_SITE:
        folders.add(site.getusersitepackages())
    executed = []
    for file in sorted(file for folder in folders for file in Path(folder).glob('*.pth')):
        lines = _text(file).splitlines()
        executed += [line for line in lines if line.startswith(('import ', 'import\t'))]
    executed += [_text(origin) for name in START_MODULES if (origin := _origin(name))]
    digest = hashlib.sha256('\n'.join(sorted(executed)).encode()).hexdigest()
    return f'{len(executed)} {digest}'


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding='utf-8', errors='replace')
    except OSError as error:
        return f'import {error.strerror}'


def _origin(module: str) -> Path | None:
    loaded = sys.modules.get(module)
    if loaded is not None:
        return file_of(loaded)
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec is not None and spec.has_location else None


def file_of(module: object) -> Path | None:
    """Return where a module says that it was loaded from; None for those that have no file."""
    spec = getattr(module, '__spec__', None)
    origin = getattr(spec, 'origin', None) if getattr(spec, 'has_location', False) else None
    name = origin or getattr(module, '__file__', None)
    return _path(name) if isinstance(name, str) else None


@lru_cache(maxsize=8192)
def _path(name: str) -> Path:
    return Path(name)
