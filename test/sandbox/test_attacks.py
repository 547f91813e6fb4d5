"""What an agent may try against its station, each shown to work where the wall is not."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
from sandbox_support import IS_ROOT, LIMIT, run, script, SECRET, shut, weak

from enpire_nodes.sandbox.bubblewrap import command

END = 'came to its end'
PYTHON = f'{sys.executable} -c'

CHANGES = {
    'write': 'echo evil > {judge}',
    'append': 'echo evil >> {judge}',
    'truncate': 'truncate -s 0 {judge}',
    'rename': 'mv {judge} {judge}.old',
    'rename over it': 'echo evil > own; mv -f own {judge}',
    'rename its folder': 'mv {frozen} {clone}/old; mkdir {frozen}; echo evil > {judge}',
    'unlink': 'rm -f {judge}',
    'remove its folder': 'rm -rf {frozen}',
    'exchange for a symbolic link': 'echo evil > own; ln -sf {clone}/own {judge}',
    'write through a symbolic link': 'ln -s {judge} link; echo evil > link',
    'write through a hard link': 'ln {judge} link && echo evil > link',
    'exchange its folder for a link': 'mkdir o; echo evil > o/verify.py; '
    'rm -r {frozen}; ln -s o {frozen}',
    'sed in place': 'sed -i s/so/not/ {judge}',
    'copy over it': 'echo evil > own; cp -f own {judge}',
    'python open': PYTHON + ' "open(\'{judge}\', \'w\').write(\'evil\')"',
    'python os.replace': PYTHON + ' "import os; open(\'e\',\'w\'); os.replace(\'e\',\'{judge}\')"',
    'chmod and write': 'chmod 777 {frozen} {judge}; echo evil > {judge}',
    'write by another way to it': 'echo evil > /proc/self/root{judge}',
    'write by the folder of a process': 'echo evil > /proc/$$/cwd/judge/verify.py',
    'git': 'git init -q .; git add -A; git -c user.name=a -c user.email=a@b commit -qm a; '
    'git rm -qrf judge; true',
}  # fmt: skip


@pytest.mark.parametrize('name', CHANGES)
def test_frozen_file_holds_against(name, worlds):
    without, within = worlds('without'), worlds('within')
    run(script(CHANGES[name], without))
    assert without.harmed
    assert END in shut(within.profile, *script(CHANGES[name], within))
    assert not within.harmed


MOUNTS = {
    'remount read-write': 'mount -o remount,bind,rw {frozen}; echo evil > {judge}; cat {judge}',
    'umount': 'cd /; umount -l {frozen}; echo evil > {judge}; cat {judge}',
    'bind over': 'mkdir o; echo evil > o/verify.py; mount --bind o {frozen}; cat {judge}',
    'tmpfs over': 'mount -t tmpfs none {frozen}; echo evil > {judge}; cat {judge}',
    'new user namespace': 'mkdir o; echo evil > o/verify.py; '
    'unshare --user --map-root-user --mount sh -c "mount --bind o {frozen}; cat {judge}"',
}


@pytest.mark.parametrize('name', MOUNTS)
def test_frozen_file_holds_against_mounts(name, worlds):
    without, within = worlds('without'), worlds('within')
    assert 'evil' in weak(without.profile, *script(MOUNTS[name], without))
    said = shut(within.profile, *script(MOUNTS[name], within))
    assert END in said
    assert 'evil' not in said
    assert not within.harmed


def test_a_frozen_link_that_was_planted_before_is_refused(worlds):
    from enpire_nodes.common.errors import StationError

    world = worlds('within')
    world.judge.unlink()
    world.frozen.rmdir()
    world.frozen.symlink_to(world.root / 'keys')
    with pytest.raises(StationError, match='symbolic link'):
        command(world.profile, ['true'])


def test_no_secret_file_can_be_read(worlds):
    world = worlds('within')
    for path in world.secrets:
        assert SECRET in run(['cat', str(path)])
        assert SECRET not in shut(world.profile, 'cat', str(path))
    assert SECRET in run(['grep', '-rs', SECRET, str(world.root)])
    assert SECRET not in shut(world.profile, 'grep', '-rs', SECRET, str(world.root / 'run'))


def test_no_secret_file_can_be_read_through_a_link(worlds):
    world = worlds('within')
    for index, path in enumerate(world.secrets):
        (world.clone / f'link{index}').symlink_to(path)
    attack = script('cat link*', world)
    assert SECRET in run(attack)
    assert SECRET not in shut(world.profile, *attack)


def test_keys_are_covered_even_in_a_folder_that_is_brought_in(worlds, monkeypatch):
    world = worlds('within')
    keys = world.root / 'keys'
    profile = type(world.profile)(workdir=world.root, readable=(world.root,))
    attack = ('cat', str(keys / 'model.key'))
    monkeypatch.delenv('ENPIRE_KEYS', raising=False)
    assert SECRET in shut(profile, *attack)
    monkeypatch.setenv('ENPIRE_KEYS', str(keys))
    assert SECRET not in shut(profile, *attack)


def test_the_stations_environment_cannot_be_read(worlds):
    world = worlds('within')
    attack = ('/bin/sh', '-c', 'env; cat /proc/*/environ | tr "\\0" "\\n"; echo ' + END)
    environment = {**os.environ, 'MODEL_API_KEY': SECRET}
    made = command(world.profile, attack)
    assert made[:2] == ['/usr/bin/env', '-i']
    assert SECRET in run(made[2:], env=environment)
    said = shut(world.profile, *attack, env=environment)
    assert END in said
    assert SECRET not in said


@pytest.fixture
def bystander():
    """Start a process of the station that has a secret in its environment."""
    process = subprocess.Popen(['sleep', '1000'], env={**os.environ, 'MODEL_API_KEY': SECRET})
    yield process
    process.kill()
    process.wait()


def test_another_process_cannot_be_read(worlds, bystander):
    world = worlds('within')
    attacks = (
        ['cat', f'/proc/{bystander.pid}/environ'],
        ['cat', f'/proc/{bystander.pid}/root{world.secrets[0]}'],
        ['/bin/sh', '-c', f'cat /proc/*/root{world.secrets[0]}; cat /proc/*/environ'],
    )
    for attack in attacks:
        assert SECRET in run(attack)
        assert SECRET not in shut(world.profile, *attack)


def test_the_first_process_leads_nowhere(worlds):
    world = worlds('within')
    attack = ['/bin/sh', '-c', f'cat /proc/1/root{world.secrets[0]}; ls /proc/1/root; echo {END}']
    said = shut(world.profile, *attack)
    assert END in said
    assert SECRET not in said


def test_another_process_cannot_be_signalled(worlds, bystander):
    world = worlds('within')
    attack = ['/bin/sh', '-c', f'kill -KILL {bystander.pid}; kill -KILL -1; echo {END}']
    shut(world.profile, *attack)
    assert bystander.poll() is None
    run(['/bin/sh', '-c', f'kill -KILL {bystander.pid}'])
    assert bystander.wait(LIMIT) == -signal.SIGKILL


TRACE = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
print('attached' if libc.ptrace(16, int(sys.argv[1]), 0, 0) == 0 else 'refused')
"""


def test_another_process_cannot_be_traced(worlds, bystander):
    world = worlds('within')
    attack = [sys.executable, '-c', TRACE, str(bystander.pid)]
    if IS_ROOT:
        assert 'attached' in run(attack)
    assert 'refused' in shut(world.profile, *attack)


SEND = """
import socket, sys
kind, *where = sys.argv[1:]
try:
    if kind == 'tcp':
        socket.create_connection((where[0], int(where[1])), timeout=5.0).sendall(b'attack')
    elif kind == 'udp':
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('127.0.0.1'))
            s.sendto(b'attack', (where[0], int(where[1])))
    else:
        name = where[0].replace('@', chr(0))
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(name)
            s.sendall(b'attack')
except OSError as error:
    print('refused', error)
print('came to its end')
"""


def _heard(listener: socket.socket, attack, *, wait: float) -> bool:
    """Tell whether anything arrives at a socket after an attack."""
    assert END in attack()
    listener.settimeout(wait)
    try:
        if listener.type == socket.SOCK_STREAM:
            with listener.accept()[0] as connection:
                connection.settimeout(wait)
                return connection.recv(100) == b'attack'
        return listener.recv(100) == b'attack'
    except TimeoutError:
        return False


def _listener(kind: str, folder: Path) -> tuple[socket.socket, list[str]]:
    if kind in ('abstract', 'path'):
        made = socket.socket(socket.AF_UNIX)
        name = f'@enpire-test-{os.getpid()}' if kind == 'abstract' else str(folder / 'driver.sock')
        made.bind(name.replace('@', '\0'))
        made.listen()
        return made, ['unix', name]
    if kind == 'tcp':
        made = socket.create_server(('127.0.0.1', 0))
        return made, ['tcp', '127.0.0.1', str(made.getsockname()[1])]
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(('', 0) if kind == 'multicast' else ('127.0.0.1', 0))
    port = str(made.getsockname()[1])
    if kind == 'udp':
        return made, ['udp', '127.0.0.1', port]
    # the group by which the middleware's participants find each other
    group = '239.255.0.1'
    joined = socket.inet_aton(group) + socket.inet_aton('127.0.0.1')
    made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
    return made, ['udp', group, port]


@pytest.mark.parametrize('kind', ['tcp', 'udp', 'multicast', 'abstract', 'path'])
def test_nothing_reaches_the_station_by(kind, worlds):
    world = worlds('within')
    listener, where = _listener(kind, world.root)
    attack = [sys.executable, '-c', SEND, *where]
    with listener:
        assert _heard(listener, lambda: run(attack), wait=LIMIT)
        # what was sent has arrived before its sender ends: these are local
        assert not _heard(listener, lambda: shut(world.profile, *attack), wait=0.2)


def test_a_socket_that_is_brought_in_can_be_used(worlds):
    world = worlds('within')
    listener, (_, path) = _listener('path', world.root)
    profile = type(world.profile)(workdir=world.clone, sockets={'trial': Path(path)})
    attack = [sys.executable, '-c', SEND, 'unix', '/run/enpire/trial.sock']
    with listener:
        assert _heard(listener, lambda: shut(profile, *attack), wait=LIMIT)


def test_there_is_no_interface_but_a_loopback_of_its_own(worlds):
    world = worlds('within')
    said = shut(world.profile, sys.executable, '-c', 'import socket; print(socket.if_nameindex())')
    assert said.strip() == "[(1, 'lo')]"


def test_shared_memory_of_the_station_is_not_seen(worlds):
    world = worlds('within')
    segment = Path(f'/dev/shm/fastrtps_test_{os.getpid()}')
    segment.write_text(SECRET, 'utf-8')
    attack = ['/bin/sh', '-c', f'ls /dev/shm; cat {segment}; echo evil > {segment}; echo {END}']
    try:
        assert END in (said := shut(world.profile, *attack))
        assert segment.name not in said.splitlines()
        assert SECRET not in said
        assert segment.read_text('utf-8') == SECRET
        assert SECRET in run(attack)
    finally:
        segment.unlink()


def test_devices_of_the_machine_are_not_seen(worlds):
    listed = shut(worlds('within').profile, 'ls', '/dev').split()
    assert set(listed) <= {
        'core', 'fd', 'full', 'null', 'ptmx', 'pts', 'random', 'shm', 'stderr', 'stdin', 'stdout',
        'tty', 'urandom', 'zero', 'console',
    }  # fmt: skip


def test_no_capability_is_held_and_none_can_be_had(worlds):
    said = shut(worlds('within').profile, 'cat', '/proc/self/status')
    fields = dict(line.split(':\t', 1) for line in said.splitlines() if ':\t' in line)
    assert {fields[name] for name in ('CapPrm', 'CapEff', 'CapBnd', 'CapAmb')} == {'0' * 16}
    assert fields['NoNewPrivs'] == '1'
    assert '0' not in fields['Uid'].split()


@pytest.mark.skipif(not IS_ROOT, reason='only root can make a program that runs as somebody else')
def test_setuid_programs_give_nobody_elses_rights(worlds, tmp_path):
    world = worlds('within')
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to('/tmp/pytest-of-root'):
            folder.chmod(0o755)
    program = world.clone / 'become'
    program.write_bytes(Path('/usr/bin/id').read_bytes())
    os.chown(program, 4321, 4321)
    program.chmod(0o4755)
    assert run([str(program), '-u']).strip() == '4321'
    assert shut(world.profile, str(program), '-u').strip() == '1000'


def test_nothing_can_be_written_but_what_is_named(worlds):
    world = worlds('within')
    places = [Path(name) for name in ('/', '/usr', '/etc', '/tmp', '/run', sys.prefix)]
    places += [world.root, world.root / 'run', world.root / 'keys']
    attack = '; '.join(f'touch {place}/enpire-evil' for place in places)
    assert END in shut(world.profile, *script(f'{attack}; touch {{clone}}/mine', world))
    assert (world.clone / 'mine').exists()
    assert not [place for place in places if (place / 'enpire-evil').exists()]


def test_the_packages_that_the_station_imports_cannot_be_changed(worlds):
    import enpire_nodes

    package = Path(enpire_nodes.__file__)
    before = package.read_bytes()
    world = worlds('within')
    attack = script(
        f'echo evil >> {package}; echo evil > {package.parent}/sitecustomize.py', world
    )
    assert END in shut(world.profile, *attack)
    assert package.read_bytes() == before
    assert not (package.parent / 'sitecustomize.py').exists()


def test_nothing_is_left_when_the_starter_kills_it(worlds):
    world = worlds('within')
    attack = script('(setsid nohup sleep 1000 & ) ; (trap "" TERM HUP INT; sleep 1000) & '
                    'echo $$ > started; sleep 1000', world)  # fmt: skip
    for argv, outlives in ((attack, True), (command(world.profile, attack), False)):
        (world.clone / 'started').unlink(missing_ok=True)
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
        family = _family(process, world.clone / 'started')
        process.kill()
        process.wait(LIMIT)
        _, alive = psutil.wait_procs(family, timeout=0.5 if outlives else LIMIT)
        assert bool(alive) == outlives
        for orphan in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                orphan.kill()


def _family(process: subprocess.Popen, started: Path) -> list[psutil.Process]:
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        family = psutil.Process(process.pid).children(recursive=True)
        if started.exists() and sum(p.name() == 'sleep' for p in family) >= 2:
            return family
        time.sleep(0.01)
    raise AssertionError('the attack did not start')
