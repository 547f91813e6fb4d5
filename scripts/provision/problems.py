"""What can be missing on a machine, and the command that brings it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
import os


@dataclass(frozen=True)
class Missing:
    """One thing that the machine lacks.

    :param what: the finding, in words.
    :param packages: Debian and Ubuntu packages that bring it.
    :param command: what to type instead, where it is not a package.
    """

    what: str
    packages: tuple[str, ...] = ()
    command: str = ''


class SetUpError(Exception):
    """The set-up can't go on; says everything that is missing and what to type."""

    def __init__(self, missing: Iterable[Missing]) -> None:
        self.missing = tuple(missing)
        super().__init__(report(self.missing))

    @property
    def packages(self) -> tuple[str, ...]:
        """List the system packages that would help, each once."""
        return tuple(dict.fromkeys(name for item in self.missing for name in item.packages))


def failure(what: str, command: str) -> SetUpError:
    """Make the error of a single finding that a command fixes."""
    return SetUpError([Missing(what, command=command)])


def report(missing: Iterable[Missing]) -> str:
    """Say what is missing, with one command for all packages together."""
    missing = tuple(missing)
    lines = [f'set-up: {item.what}' for item in missing]
    packages = list(dict.fromkeys(name for item in missing for name in item.packages))
    if packages:
        rights = '' if os.geteuid() == 0 else 'sudo '
        lines.append(f'  fix: {rights}apt-get install {" ".join(packages)}')
    lines += [f'  fix: {item.command}' for item in missing if item.command]
    return '\n'.join(lines)
