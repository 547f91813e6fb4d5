"""What this process really runs: modules from where they belong, and libraries as they were.

A directory on ``PYTHONPATH`` comes before the standard library and before installed packages. A
file ``numpy.py`` or ``statistics.py`` in it would run in every node, without one frozen file being
touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
import importlib.util
from pathlib import Path
import sys
import sysconfig

from enpire_nodes.common.errors import StationError
from enpire_nodes.environment.contract.files import file_digest

#: What reset, judge and gate stand on: module, and the distribution that brings it.
LIBRARIES: Mapping[str, str] = {
    'cv2': 'opencv-python',
    'numpy': 'numpy',
    'scipy': 'scipy',
    'transforms3d': 'transforms3d',
    'yaml': 'PyYAML',
}
#: Modules that Python imports at its start where it finds them.
_UNASKED = ('sitecustomize', 'usercustomize')


def library_digests() -> dict[str, str]:
    """Return version and sha256 of each library's first file, by module; nothing is imported."""
    found = {}
    for module, distribution in LIBRARIES.items():
        origin = _origin(module)
        if origin is None:
            found[module] = 'missing'
            continue
        try:
            number = version(distribution)
        except PackageNotFoundError:
            number = 'unknown'
        try:
            found[module] = f'{number} {file_digest(origin.resolve())}'
        except StationError as error:
            found[module] = f'{number} {error.message}'
    return found


def library_problems(expected: Mapping[str, str]) -> Iterator[str]:
    """Yield every library that is not the frozen one."""
    found = library_digests()
    for module, value in sorted(expected.items()):
        if found.get(module) != value:
            number = value.partition(' ')[0]
            here = found.get(module, 'missing').partition(' ')[0]
            yield (
                f'library {module} is not the frozen one ({number}): {here} is taken from '
                f'{_origin(module)}'
            )


def shadow_problems(
    code: Mapping[str, Path], modules: Mapping[str, object] | None = None
) -> list[str]:
    """Return every loaded module that does not come from where it belongs.

    :param code: frozen files by name.
    :param modules: by name; None takes those of this process.
    """
    loaded = dict(sys.modules if modules is None else modules)
    tops = {name.partition('/')[0] for name in code if name.endswith('.py') and '/' in name}
    frozen = {_module_name(name): path.resolve() for name, path in code.items()}
    standard = _standard_folders()
    wrong = []
    for name, module in sorted(loaded.items()):
        origin = _file_of(module)
        if origin is None:
            continue
        top = name.partition('.')[0]
        if name in frozen:
            if origin.resolve() != frozen[name]:
                wrong.append(f'module {name} runs from {origin}, not from {frozen[name]}')
        elif top in tops:
            roots = [path for known, path in frozen.items() if known.partition('.')[0] == top]
            if not any(_below(origin, _package_root(known, top)) for known in roots):
                wrong.append(f'module {name} runs from {origin}, beside the frozen package')
        elif (top in sys.stdlib_module_names or name in _UNASKED) and not any(
            # the module's folder, not what it links to: Debian links sitecustomize.py to /etc
            _below(origin.parent, folder)
            for folder in standard
        ):
            wrong.append(f'module {name} of Python itself is shadowed by {origin}')
    return wrong


def _standard_folders() -> tuple[Path, ...]:
    names = ('stdlib', 'platstdlib')
    folders = {Path(sysconfig.get_path(name)).resolve() for name in names}
    # a virtual environment takes the standard library of the Python that it was made from
    folders.add(Path(sysconfig.__file__).resolve().parent)
    return tuple(folders)


def _module_name(name: str) -> str:
    parts = name.removesuffix('.py').split('/')
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def _package_root(path: Path, top: str) -> Path:
    return next((parent for parent in path.parents if parent.name == top), path.parent)


def _file_of(module: object) -> Path | None:
    spec = getattr(module, '__spec__', None)
    origin = getattr(spec, 'origin', None) if getattr(spec, 'has_location', False) else None
    name = origin or getattr(module, '__file__', None)
    return Path(name) if isinstance(name, str) else None


def _origin(module: str) -> Path | None:
    loaded = sys.modules.get(module)
    if loaded is not None:
        return _file_of(loaded)
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec is not None and spec.has_location else None


def _below(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder)
