"""Which modules this process really runs: those that belong here, as they were installed.

A directory on ``PYTHONPATH`` comes before the standard library and before installed packages. A
file ``numpy.py`` or ``statistics.py`` in it would run in every node, without one frozen file being
touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
import sys
import sysconfig

from enpire_nodes.environment.contract.libraries import (
    altered_libraries,
    file_of,
    real_folder,
    START_MODULES,
)


def shadow_problems(
    code: Mapping[str, Path], modules: Mapping[str, object] | None = None
) -> list[str]:
    """Return every loaded module that does not come from where it belongs.

    :param code: frozen files by name.
    :param modules: by name; None takes those of this process.
    """
    loaded = dict(sys.modules if modules is None else modules)
    frozen = {_module_name(name): path for name, path in code.items()}
    tops = {name.partition('/')[0] for name in code if name.endswith('.py') and '/' in name}
    roots: dict[str, set[Path]] = {top: set() for top in tops}
    for name, path in frozen.items():
        roots.get(_top(name), set()).add(_package_root(path, _top(name)))
    roots = {top: {folder.resolve() for folder in folders} for top, folders in roots.items()}
    standard = _standard_folders()
    wrong = []
    for name, module in sorted(loaded.items()):
        origin, top = file_of(module), _top(name)
        if origin is None:
            if name in frozen and module is not None:
                wrong.append(f'module {name} runs from no file, not from {frozen[name]}')
        elif name in frozen:
            if origin != frozen[name] and origin.resolve() != frozen[name].resolve():
                wrong.append(f'module {name} runs from {origin}, not from {frozen[name]}')
        elif top in tops:
            if not any(origin.resolve().is_relative_to(root) for root in roots[top]):
                wrong.append(f'module {name} runs from {origin}, beside the frozen package')
        elif (top in sys.stdlib_module_names or name in START_MODULES) and not any(
            # the module's folder, not what it links to: Debian links sitecustomize.py to /etc
            real_folder(origin).is_relative_to(folder)
            for folder in standard
        ):
            wrong.append(f'module {name} of Python itself is shadowed by {origin}')
    return wrong


def process_problems(code: Mapping[str, Path]) -> list[str]:
    """Return everything that this process has loaded and should not have.

    :param code: frozen files by name.
    """
    return shadow_problems(code) + altered_libraries()


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


def _top(module: str) -> str:
    return module.partition('.')[0]
