"""A small environment in a folder of its own, that a test can freeze and then tamper with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
import json
import os
from pathlib import Path
import shutil
from typing import Any

from enpire_nodes.common.bounds import lower_bound
from enpire_nodes.environment.acceptance.criteria import check, Requirements, unchanged
from enpire_nodes.environment.acceptance.rates import FUSED, Rates
from enpire_nodes.environment.contract.files import digests, Folder, FrozenFiles, NOT_MEASURED
from enpire_nodes.environment.contract.freeze import freeze, MANIFEST
from enpire_nodes.environment.contract.guard import Guard, NODES
from enpire_nodes.environment.contract.identity import told_libraries
from enpire_nodes.environment.contract.manifest import Manifest
from enpire_nodes.environment.contract.subject import Subject

#: Digests that look like those of nodes.
TOLD = {name: name[0] * 64 for name in ('code', 'settings', 'verifier', 'limits')}
PARAMETERS = {'driver': {'noise.pose_sd': 0.001}, 'reward_classifier': {'min_frames': 3}}
_FILES = {
    'bench/__init__.py': '',
    'bench/reward.py': 'THRESHOLD = 0.020\n',
    'bench/reset.py': 'HOVER = 0.05\n',
    'bench/scoring/__init__.py': '',
    'bench/scoring/statistics.py': 'def rate(k, n):\n    return k / n\n',
    'bench/scoring/seeds.py': 'def trial_seed(campaign, index):\n    return campaign + index\n',
    'settings/limits.yaml': 'hard_force: 30.0\n',
    'settings/task.yaml': 'depth: 0.02\n',
    'settings/station.yaml': 'cameras: {side: 1}\n',
    'settings/eyes.npz': 'weights',
}


def passing_report(verifier: str, files: Mapping[str, str]) -> dict[str, Any]:
    """Return what a report says of a judge that was never wrong in 4000 episodes.

    :param files: that are to be frozen; what is not measured is not in the report.
    """
    counted = Rates((2000, 0, 0), (0, 2000, 0))
    values = {
        'episodes': 4000,
        'false positives': counted.false_positive_bound,
        'recall': counted.recall_bound,
        'uncertain': counted.uncertain_bound,
        'reset': lower_bound(200, 200),
    }
    criteria = [
        replace(criterion, value=values.get(criterion.name, criterion.limit))
        for criterion in (*check((), (), Requirements()), unchanged(()))
    ]
    return {
        'version': 1,
        'task': 'pin_insertion',
        'passed': True,
        'criteria': [criterion.to_json() for criterion in criteria],
        'digest': verifier,
        'files': {
            name: digest for name, digest in files.items() if not name.startswith(NOT_MEASURED)
        },
        'sources': {FUSED: counted.to_json()},
        'resets': {'resets': 200, 'successes': 200},
    }


class Bench:
    """An environment below ``root``, its keys, its manifest, and what a station makes of them.

    :param root: an empty folder.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.keys, self.output = root, root / 'keys', root / 'frozen'
        for name, text in _FILES.items():
            self.path(name).parent.mkdir(parents=True, exist_ok=True)
            self.path(name).write_text(text)
        self.digests: dict[str, str] = dict(TOLD)

    def path(self, name: str) -> Path:
        return self.root / name

    @property
    def manifest_file(self) -> Path:
        return self.output / MANIFEST

    @property
    def files(self) -> FrozenFiles:
        settings = {'limits': 'limits.yaml', 'task': 'task.yaml', 'station': 'station.yaml'}
        return FrozenFiles(
            {'bench': Folder(self.path('bench'))},
            {
                **{f'settings/{k}': self.path(f'settings/{v}') for k, v in settings.items()},
                'settings/weights': self.path('settings/eyes.npz'),
            },
        )

    def subject(self) -> Subject:
        return Subject('pin_insertion', self.files, dict(self.digests), PARAMETERS)

    def report(self, **fields: Any) -> Path:
        """Write a report that passes, but for ``fields``."""
        path = self.path('report.json')
        content = passing_report(TOLD['verifier'], digests(self.files))
        path.write_text(json.dumps({**content, **fields}))
        return path

    def freeze(self, report: Path | None = None, output: Path | None = None) -> Manifest:
        return freeze(
            self.subject(), report or self.report(), output or self.output, keys=self.keys
        )

    def guard(self, **options: Any) -> Guard:
        """Return what a station that starts now makes of its manifest."""
        return Guard(self.manifest_file, self.subject(), keys=self.keys, **options)

    def told(self, node: str, **fields: Any) -> Mapping[str, Any]:
        """Return what a node in order tells of itself, but for ``fields``."""
        own = {f'{what}_digest': TOLD[what] for what in ('code', 'settings')}
        told = {**own, 'libraries': told_libraries(), **PARAMETERS.get(node, {}), **fields}
        return {name: told[name] for name in (*NODES[node], *PARAMETERS.get(node, {}))}

    def swap_content(self, name: str, content: bytes) -> None:
        """Change a file in place, and give it its old size and times back."""
        path = self.path(name)
        status = path.stat()
        assert len(content) == status.st_size
        with path.open('r+b') as stream:
            stream.write(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert path.stat().st_mtime_ns == status.st_mtime_ns

    def link(self, name: str) -> None:
        """Replace a file by a link to a copy of it."""
        path, copy = self.path(name), self.root / 'copy'
        shutil.copy2(path, copy)
        path.unlink()
        path.symlink_to(copy)
