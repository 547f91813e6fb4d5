"""``enpire`` inside the sandbox of an agent: short answers, each with what to do next."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
import json
import sys

from enpire_nodes.common.errors import StationError
from enpire_nodes.evolution.tool import campaign, trials
from enpire_nodes.evolution.tool.answer import Answer, Place
from enpire_nodes.evolution.tool.arguments import parse

COMMANDS: dict[str, Callable[[Place, argparse.Namespace], Answer]] = {
    'status': campaign.status,
    'trial submit': trials.submit,
    'trial wait': trials.wait,
    'trial result': trials.result,
    'trial cancel': trials.cancel,
    'trial log': trials.log,
    'trial picture': trials.picture,
    'trial clip': trials.clip,
    'train': campaign.train,
    'history': campaign.history,
    'idea': campaign.idea,
    'publish': campaign.publish,
    'budget': campaign.budget,
    'peers': campaign.peers,
}
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code (0 done, 1 refused or failed, 2 wrong usage)."""
    args = parse(argv)
    name = ' '.join(part for part in (args.command, getattr(args, 'action', '')) if part)
    try:
        answer = COMMANDS[name](Place(), args)
        _say(answer.text(as_json=args.json))
    except StationError as error:
        if args.json:
            _say(json.dumps({'error': error.code.name, 'message': error.message}))
        sys.stderr.write(f'enpire {name}: {error.message} [{error.code.name}]\n')
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # as in `enpire history | head`
        sys.stderr.close()
        return 1
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + '\n')
    sys.stdout.flush()


if __name__ == '__main__':
    raise SystemExit(main())
