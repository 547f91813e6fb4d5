"""One finished campaign, made once and copied for each test that touches it."""

from __future__ import annotations

from pathlib import Path
import shutil

import pytest
from research_run import ResearchRun

from enpire_nodes.evolution.report.report import write_report


@pytest.fixture(scope='session')
def finished(tmp_path_factory) -> tuple[Path, Path]:
    """Return a campaign with its report, and the directory of the keys; only to be read."""
    folder = tmp_path_factory.mktemp('research')
    run = ResearchRun(folder / 'run', folder / 'keys', ideas=6, trials=6, bags=3).write()
    write_report(run, keys=folder / 'keys')
    return run, folder / 'keys'


@pytest.fixture
def copied(finished, tmp_path) -> tuple[Path, Path]:
    """Return a copy of it, to be touched."""
    run, keys = finished
    shutil.copytree(run, tmp_path / 'run', symlinks=True)
    return tmp_path / 'run', keys
