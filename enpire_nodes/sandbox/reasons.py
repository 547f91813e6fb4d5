"""Why bubblewrap does not work on a machine, and what a person can do about it."""

from __future__ import annotations

from pathlib import Path

MISSING = (
    'the program bwrap is not installed, without which no agent or policy can be shut off; '
    'install it: sudo apt-get install bubblewrap'
)
_CONTAINER_MARKS = ('/.dockerenv', '/run/.containerenv')


def explain(output: str, root: Path = Path('/')) -> str:
    """Say what forbids the sandbox, from what bwrap printed and from the kernel's settings.

    :param root: below which the settings are looked up.
    """
    said = output.strip().splitlines()[-1] if output.strip() else 'no output'
    if 'nknown option' in output:
        return f'bubblewrap is too old ({said}); version 0.8 or newer is needed'
    return f'bubblewrap does not work here ({said}): {_cause(root)}'


def _cause(root: Path) -> str:
    if _setting(root, 'kernel/unprivileged_userns_clone') == '0':
        return (
            'the kernel forbids user namespaces; allow them: '
            'sudo sysctl -w kernel.unprivileged_userns_clone=1'
        )
    if _setting(root, 'user/max_user_namespaces') == '0':
        return (
            'the kernel allows no user namespace; allow them: '
            'sudo sysctl -w user.max_user_namespaces=10000'
        )
    if _setting(root, 'kernel/apparmor_restrict_unprivileged_userns') == '1':
        return (
            'AppArmor forbids user namespaces to programs without a profile; give bwrap one '
            '(the profile bwrap-userns-restrict of the package apparmor-profiles, copied to '
            '/etc/apparmor.d and loaded with apparmor_parser -r), or allow them to all: '
            'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'
        )
    if any((root / mark.lstrip('/')).exists() for mark in _CONTAINER_MARKS):
        return (
            'this container forbids user namespaces or mounts; start it with '
            '--security-opt seccomp=unconfined --security-opt apparmor=unconfined '
            '--security-opt systempaths=unconfined, or run the station outside of it'
        )
    return 'no setting known to forbid it was found; try `bwrap --unshare-all --ro-bind / / true`'


def _setting(root: Path, name: str) -> str:
    try:
        return (root / 'proc/sys' / name).read_text('ascii').strip()
    except OSError:
        return ''  # this kernel has no such setting
