"""Whether a campaign's records are whole, and its report is what follows from them.

What each check sees: the chains of ledger, journal and audit book show a changed, removed or
inserted entry; the ends that the report was signed with show entries that were cut off; trial.json
and bags are held against the ledger, artifacts against their names, signatures against the keys
that this machine trusts; and every figure is computed again from the records up to those ends.
Whoever holds the station's key can forge all of it: a copy of the report elsewhere shows that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

from enpire_nodes.common.errors import StationError
from enpire_nodes.evolution import journal
from enpire_nodes.evolution.accounting.run_log import AUDITS, Head, JOURNAL, LEDGER, RunLog
from enpire_nodes.evolution.campaign.artifacts import Artifacts
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.hub.results import checked_line
from enpire_nodes.evolution.report.figures import figures
from enpire_nodes.evolution.report.report import JSON, VERSION
from enpire_nodes.evolution.tree.build import hub_ideas, hub_path, tree_of
from enpire_nodes.rollout.audit import audit_run
from enpire_nodes.rollout.auditing.book import AuditBook
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.ledger.chain import canonical_json, Entry

_SHOWN = 20  # figures that are named one by one


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it was.

    :param where: ``ledger``, ``journal``, ``audits``, ``report.json``, ``hub``, ``artifacts``,
        or a file of the run.
    :param words: what is wrong, naming the entry, trial, file or figure.
    """

    where: str
    words: str


def verify_run(run: Path, *, keys: Path | None = None) -> list[Problem]:
    """Check everything; return what is wrong, nothing when all agrees.

    :param keys: directory of the keys; None for this machine's.
    :raises StationError: RUNNER_LEDGER_FAILED, there is no ledger that could be read.
    """
    run = Path(run)
    found: list[Problem] = []
    with LedgerReader(run) as ledger:
        entries = list(ledger.entries())
        found += (_named(words) for words in audit_run(ledger))
    broken = [] if all(p.where != LEDGER for p in found) else [LEDGER]
    chains = {LEDGER: entries}
    for name, read in ((JOURNAL, journal.read), (AUDITS, lambda run: AuditBook(run).news())):
        try:
            chains[name] = read(run)
        except StationError as error:
            found.append(Problem(name, error.message))
            broken.append(name)
    signed, problems = _report(run, keys)
    found += problems
    if signed is not None:
        cut = list(_ends(signed, chains))
        found += cut
        broken += (problem.where for problem in cut)
    if JOURNAL not in broken:
        found += _artifacts(run, chains[JOURNAL])
        found += _results(chains[JOURNAL], keys)
    if broken:
        found.append(
            Problem(JSON, f'its figures cannot be computed again: {broken[0]} is not whole')
        )
    elif signed is not None:
        found += _figures(run, signed, keys)
    return found


def _named(words: str) -> Problem:
    """Say of which file a contradiction in the ledger's run is."""
    if words.startswith('ledger: '):
        return Problem(LEDGER, words.removeprefix('ledger: '))
    return Problem('trials', words)


def _report(run: Path, keys: Path | None) -> tuple[dict[str, Any] | None, list[Problem]]:
    try:
        text = (run / JSON).read_text('utf-8')
    except FileNotFoundError:
        return None, [Problem(JSON, 'there is none; write it with `enpire report`')]
    except (OSError, UnicodeDecodeError) as error:
        return None, [Problem(JSON, f'it cannot be read: {error}')]
    line = checked_line(text, keys)
    if not {'version', 'ends', 'figures'} <= set(line):
        return None, [Problem(JSON, 'it is no report of a campaign')]
    if line['version'] != VERSION:
        words = f'it is of version {line["version"]}, this code knows {VERSION}: write it again'
        return None, [Problem(JSON, words)]
    if not _readable(line):
        return None, [Problem(JSON, 'it is no report of a campaign: ends or ideas are missing')]
    return line, [Problem(JSON, line.problem)] if line.problem else []


def _readable(line: Mapping[str, Any]) -> bool:
    """Whether a report, signed or not, has what the checks go by."""
    try:
        heads = _heads(line)
        commits = [idea['commit'] for idea in line['figures']['tree']['ideas']]
    except (AttributeError, KeyError, TypeError):
        return False
    return (
        {*heads} == {LEDGER, JOURNAL, AUDITS}
        and all(type(end.sequence) is int and end.sequence >= 0 for end in heads.values())
        and all(isinstance(commit, str) for commit in commits)
    )


def _ends(signed: Mapping[str, Any], chains: Mapping[str, list[Entry]]) -> Iterator[Problem]:
    for name, end in _heads(signed).items():
        entries = chains.get(name)
        if entries is None or not end.sequence:
            continue
        if len(entries) < end.sequence:
            yield Problem(
                name,
                f'its end was cut off: the report was made from {end.sequence} entries, '
                f'{len(entries)} are left',
            )
        elif entries[end.sequence - 1].digest != end.digest:
            yield Problem(name, f'entry {end.sequence} is not the one that the report names')


def _heads(signed: Mapping[str, Any]) -> dict[str, Head]:
    return {name: Head(**end) for name, end in signed['ends'].items()}


def _artifacts(run: Path, entries: list[Entry]) -> Iterator[Problem]:
    store = Artifacts(journal.research_directory(run) / 'artifacts')
    for path in store.damaged():
        yield Problem('artifacts', f'{path.relative_to(run)} is not what its name says')
    for digest in _weights(entries):
        try:
            store.file(digest)
        except StationError:
            yield Problem('artifacts', f'the weights {digest} that trials ran with are gone')


def _weights(entries: list[Entry]) -> list[str]:
    arms = (
        arm['weights']
        for entry in entries
        if entry.kind == journal.JOB
        for arm in entry.data['arms']
    )
    return sorted({weights for weights in arms if weights})


def _results(entries: list[Entry], keys: Path | None) -> Iterator[Problem]:
    for entry in entries:
        if entry.kind == journal.RESULT:
            line = checked_line(canonical_json(entry.data), keys)
            if not line.verified:
                yield Problem(JOURNAL, f'the result of entry {entry.sequence}: {line.problem}')


def _figures(run: Path, signed: Mapping[str, Any], keys: Path | None) -> Iterator[Problem]:
    try:
        log = RunLog.read(run, _heads(signed))
        told = {idea['commit'] for idea in signed['figures']['tree']['ideas']}
        ideas = [idea for idea in hub_ideas(log) if idea.commit in told]  # others came later
        yield from _hub(log, keys)
        computed = json.loads(json.dumps(figures(log, tree_of(log, ideas))))
    except StationError as error:
        yield Problem(JSON, f'its figures cannot be computed again: {error.message}')
        return
    different = list(differences(signed['figures'], computed))
    for words in different[:_SHOWN]:
        yield Problem(JSON, words)
    if len(different) > _SHOWN:
        yield Problem(JSON, f'and {len(different) - _SHOWN} more figures')


def _hub(log: RunLog, keys: Path | None) -> Iterator[Problem]:
    path = hub_path(log)
    if not (path / 'HEAD').is_file():
        if log.ideas:
            yield Problem('hub', f'{path} is gone: the ideas are known from the journal alone')
        return
    hub = Hub(path)
    noted = set()
    for line in hub.results(log.campaign.station, trusted=keys):
        noted.add(canonical_json(dict(line)))
        if not line.verified:
            commit = str(line.get('commit', ''))[:10]
            yield Problem('hub', f'a result noted of {commit}: {line.problem}')
    for entry in log.of_kind(journal.RESULT):
        if canonical_json(entry.data) not in noted:
            yield Problem('hub', f'the result of journal entry {entry.sequence} is in no note')


def differences(told: Any, computed: Any, name: str = '') -> Iterator[str]:
    """Yield which figures differ, by their names."""
    if isinstance(told, dict) and isinstance(computed, dict):
        for key in sorted({*told, *computed}):
            inner = f'{name}.{key}' if name else key
            yield from differences(told.get(key), computed.get(key), inner)
    elif isinstance(told, list) and isinstance(computed, list) and len(told) == len(computed):
        for number, (one, other) in enumerate(zip(told, computed, strict=True)):
            yield from differences(one, other, f'{name}[{number}]')
    elif told != computed:
        yield f'{name} says {_short(told)}, the records say {_short(computed)}'


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f'{text[:117]}...'
