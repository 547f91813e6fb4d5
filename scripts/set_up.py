"""Make everything that a station needs in this work tree, or say what is missing.

Written so that an old Python can read it too: it must be able to say that it is too old.
"""

import os
import sys

OLDEST = (3, 10)


def main():  # noqa: ANN201
    """Check the interpreter, then hand over."""
    if sys.version_info < OLDEST:
        names = ['python3.%d' % minor for minor in range(14, 9, -1)]  # noqa: UP031
        folders = os.environ.get('PATH', '').split(os.pathsep)
        found = [n for n in names if any(os.access(os.path.join(f, n), os.X_OK) for f in folders)]
        sys.exit(
            'set-up: %s is Python %d.%d, and enpire needs %d.%d or newer\n  fix: %s'  # noqa: UP031
            % (
                (sys.executable,)
                + tuple(sys.version_info[:2])
                + OLDEST
                + ('make PYTHON=' + (found or ['/path/to/python3.12'])[0] + ' <target>',)
            )
        )
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from provision.main import main as provide

    return provide()


if __name__ == '__main__':
    sys.exit(main())
