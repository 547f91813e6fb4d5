"""Follow the log files of a station's processes, and read the lines of rcl's logger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
import re
import time

_RCL = re.compile(
    r'\[(?P<level>[A-Z]+)\s*\] \[(?P<stamp>\d+\.\d+)\] \[(?P<logger>[^\]]*)\]: (?P<text>.*)'
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log.

    :param node: that said it: the logger's last part, else the process.
    :param level: DEBUG, INFO, WARN, ERROR, FATAL; empty for other output.
    :param stamp: s since the epoch; 0 for other output.
    :param text: without level, stamp and logger.
    """

    node: str
    level: str
    stamp: float
    text: str

    def __str__(self) -> str:
        clock = time.strftime('%H:%M:%S', time.localtime(self.stamp or None))
        return f'{clock} {self.node:<17} {self.level:<5} {self.text}'


def parse_line(process: str, line: str) -> LogLine:
    """Return what a line of a process's log says."""
    match = _RCL.fullmatch(line)
    if match is None:
        return LogLine(process, '', 0.0, line)
    logger = match['logger'].rsplit('.', 1)[-1]
    return LogLine(logger, match['level'], float(match['stamp']), match['text'])


class LogFollower:
    """Reads what is appended to log files from now on.

    :param logs: file by process; a file may come to exist later.
    """

    def __init__(self, logs: Mapping[str, Path]) -> None:
        self._logs = dict(logs)
        self._places = {name: _size(path) for name, path in self._logs.items()}
        self._parts = dict.fromkeys(self._logs, b'')

    def poll(self) -> list[LogLine]:
        """Return the whole lines that were added since the last call."""
        found = []
        for name, path in self._logs.items():
            if _size(path) < self._places[name]:
                self._places[name], self._parts[name] = 0, b''  # somebody emptied it
            try:
                with path.open('rb') as log:
                    log.seek(self._places[name])
                    content = log.read()
            except OSError:
                continue
            self._places[name] += len(content)
            *lines, self._parts[name] = (self._parts[name] + content).split(b'\n')
            found += [parse_line(name, line.decode(errors='replace')) for line in lines if line]
        return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
