"""Hold the adapters against the real agents: ``make test-agents``.

Claude Code, Codex and Kimi Code are installed at pinned versions, below ``build/agents``; ``acp``
is Kimi Code once more, by the Agent Client Protocol. Each works in our sandbox, without a network,
with a model that plays a script, behind our meter. No key is needed and nothing is paid. The last
check, ``night``, is a campaign at a simulated station, in which agent, trial runner and supervisor
are killed; it takes about three minutes for each agent.

Licences: Codex is Apache-2.0, Kimi Code MIT; Claude Code is under its provider's own terms, which
are accepted by using it. Leave it out with ``--only codex kimi``.
"""

import argparse
from pathlib import Path
import shutil
import sys
import tempfile
import time
import traceback

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / 'scripts'), str(ROOT / 'test')]

from agents_night.checks import CHECKS  # noqa: E402
from agents_night.install import FOLDER, install  # noqa: E402
from agents_night.kimi_acp import KimiAcp  # noqa: E402

from enpire_nodes.evolution.agents.registry import adapter  # noqa: E402

AGENTS = ('claude', 'codex', 'kimi', 'acp')


def main() -> int:
    """Install the agents and check each; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--only', nargs='+', choices=AGENTS, default=AGENTS, help='some agents')
    parser.add_argument('--checks', nargs='+', choices=CHECKS, default=list(CHECKS))
    parser.add_argument('--folder', type=Path, default=FOLDER, help='where they are installed')
    parser.add_argument('--keep', action='store_true', help='keep what they wrote')
    arguments = parser.parse_args()
    install(arguments.folder).use()
    # a socket's path is short, and a sandbox does not bring in a folder of the user
    work = Path(tempfile.mkdtemp(prefix='enpire-agents-', dir='/var/tmp'))
    failed = 0
    for name in arguments.only:
        agent = KimiAcp() if name == 'acp' else adapter(name)
        version, warning = agent.version()
        print(f'{name} {version}' + (f': {warning}' if warning else ''), flush=True)
        for check in arguments.checks:
            began = time.monotonic()
            try:
                words = CHECKS[check](agent, work / name / check)
            except Exception:  # noqa: BLE001 - one failure must not hide another
                traceback.print_exc()
                print(f'FAILED: {name} {check}; its log: {work / name / check}', flush=True)
                failed += 1
                continue
            print(f'ok: {name} {check}, {time.monotonic() - began:.1f} s: {words}', flush=True)
    if failed or arguments.keep:
        print(f'what they wrote is in {work}')
    else:
        shutil.rmtree(work)
    print(f'test-agents: {"FAILED" if failed else "passed"}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
