"""The report of a campaign: one HTML page, and the figures behind it, signed.

::

    <run>/report.html   the page; it needs nothing else
    <run>/report.json   every figure, the ends of the chains it was made from, and the signature
    <run>/tree.svg, tree.png, tree.json
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape, StrictUndefined
from markupsafe import Markup

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import write_atomically, write_json
from enpire_nodes.environment.contract.signing import signing_key
from enpire_nodes.evolution.accounting.run_log import RunLog
from enpire_nodes.evolution.hub.results import signed_line
from enpire_nodes.evolution.report.charts import (
    progress_figure,
    timeline_figure,
    tokens_figure,
)
from enpire_nodes.evolution.report.figures import figures
from enpire_nodes.evolution.report.words import FILTERS
from enpire_nodes.evolution.tree import theme
from enpire_nodes.evolution.tree.build import hub_ideas, tree_of
from enpire_nodes.evolution.tree.model import IdeaTree
from enpire_nodes.evolution.tree.picture import tree_figure, write_tree
from enpire_nodes.rollout.record_json import to_json

HTML, JSON = 'report.html', 'report.json'
#: Raised when figures are made otherwise, so that an old report is not taken for a forged one.
VERSION = 1


def write_report(run: Path, *, keys: Path | None = None) -> Path:
    """Write the report of a run; return the page.

    :param keys: directory of the keys; None for this machine's.
    :raises StationError: SUPERVISOR_REPORT_FAILED, it cannot be written; as of
        :meth:`~enpire_nodes.evolution.accounting.run_log.RunLog.read` and
        :func:`~enpire_nodes.environment.contract.signing.signing_key`.
    """
    run = Path(run)
    log = RunLog.read(run)
    tree = tree_of(log, hub_ideas(log))
    numbers = figures(log, tree)
    signed = signed_line(
        {'version': VERSION, 'ends': to_json(log.ends), 'figures': numbers}, signing_key(keys)
    )
    try:
        write_tree(tree, run)
        write_json(run / JSON, signed)
        write_atomically(run / HTML, page(log, tree, signed).encode())
    except OSError as error:
        raise StationError(
            ErrorCode.SUPERVISOR_REPORT_FAILED,
            f'the report of {run} is not written: {error.strerror}; check the disk',
        ) from error
    return run / HTML


def page(log: RunLog, tree: IdeaTree, signed: dict[str, Any]) -> str:
    """Return the page.

    :param signed: what ``report.json`` holds.
    """
    environment = Environment(
        loader=PackageLoader('enpire_nodes.evolution.report', 'templates'),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    drawings = {
        'progress': (progress_figure(log), 'success rate of the best recipe over time'),
        'tree': (tree_figure(tree), 'the tree of ideas'),
        'timeline': (timeline_figure(log), 'what station and model did over time'),
    }
    if log.calls:
        drawings['tokens'] = (tokens_figure(log), 'tokens a minute by class')
    return environment.get_template('report.html.jinja').render(
        f=signed['figures'],
        signed=signed,
        colours=theme.NAMES,
        drawings={
            # made here of escaped text alone
            name: Markup(theme.inline_svg(figure, prefix=name, label=label))
            for name, (figure, label) in drawings.items()
        },
    )
