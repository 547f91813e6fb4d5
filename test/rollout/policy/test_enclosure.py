"""How the policy's process is started, and what a controller must see there."""

import sys

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers import registry
from enpire_nodes.rollout.policy import enclosure
from enpire_nodes.rollout.policy.client import PolicyWorker, WorkerSpec
from enpire_nodes.sandbox.bubblewrap import Availability

DEADLINE = 10.0
NONE = Availability(False, 'bwrap is not installed')


def test_it_runs_in_a_sandbox_and_says_so(make_worker):
    worker = make_worker('return np.zeros(3)')
    worker.start()
    assert worker.walls[0] == 'bubblewrap'
    assert 'seccomp' in worker.walls or len(worker.walls) == 1


def test_it_can_be_told_not_to(make_worker):
    worker = make_worker('return np.zeros(3)', sandbox='off')
    worker.start()
    assert 'bubblewrap' not in worker.walls


def test_without_bubblewrap_a_required_sandbox_is_refused_with_words(make_worker, monkeypatch):
    monkeypatch.setattr(enclosure, 'availability', lambda: NONE)
    worker = make_worker('return np.zeros(3)', sandbox='required')
    with pytest.raises(StationError, match=r'must run in a sandbox.*not installed') as caught:
        worker.start()
    assert caught.value.code == ErrorCode.POLICY_WORKER_FAILED
    assert not worker.running


def test_without_bubblewrap_it_runs_behind_the_other_walls(make_worker, monkeypatch):
    monkeypatch.setattr(enclosure, 'availability', lambda: NONE)
    worker = make_worker('return np.zeros(3)')
    worker.start()
    assert 'bubblewrap' not in worker.walls
    assert worker.running


def test_a_policy_whose_folder_holds_too_much_is_refused(tmp_path, monkeypatch):
    home = tmp_path / 'home'
    home.mkdir()
    (home / 'policy.py').write_text('class Policy: ...', 'utf-8')
    monkeypatch.setenv('HOME', str(home))
    spec = WorkerSpec('learned', tmp_path / 'log', {'policy': str(home / 'policy.py')})
    with pytest.raises(StationError, match='holds more than a sandbox may see') as caught:
        PolicyWorker(spec).start()
    assert caught.value.code == ErrorCode.POLICY_BAD_PARAMETER


def test_weights_elsewhere_are_seen_through_their_link(make_worker, features, tmp_path):
    weights = tmp_path / 'weights' / 'first.bin'
    weights.parent.mkdir()
    weights.write_bytes(b'abc')
    link = tmp_path / 'latest.bin'
    link.symlink_to(weights)
    worker = make_worker('return [float(len(self.checkpoint.read_bytes())), 0.0, 0.0]')
    worker.spec.settings['checkpoint'] = str(link)
    worker.spec.settings.update(registry.pinned('learned', worker.spec.settings))
    worker.start()
    assert worker.step(features, deadline=DEADLINE).delta[0] == 3.0


def test_a_recording_is_seen_whole(tmp_path):
    bag = tmp_path / 'trial' / 'bag'
    bag.mkdir(parents=True)
    for path in (bag / 'metadata.yaml', bag / 'bag_0.mcap', bag.parent / 'trial.json'):
        path.touch()
    found = registry.reads('replay', {'source': str(bag.parent)})
    assert found == [bag.parent / 'trial.json', bag]


def test_a_labs_own_controller_is_imported_in_there_too(tmp_path, features, monkeypatch):
    site = tmp_path / 'site'
    package = site / 'lab_arms'
    info = site / 'lab_arms-1.0.dist-info'
    for folder in (package, info):
        folder.mkdir(parents=True)
    (package / '__init__.py').touch()
    (package / 'still.py').write_text(
        'from enpire_nodes.rollout.controllers.hold import Hold\nclass Still(Hold): ...\n', 'utf-8'
    )
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: lab_arms\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text('[enpire.controllers]\nstill = lab_arms.still:Still\n')
    monkeypatch.syspath_prepend(str(site))
    worker = PolicyWorker(WorkerSpec('still', tmp_path / 'log', sandbox='required'))
    try:
        worker.start()
        assert worker.running
    finally:
        worker.stop()
        sys.modules.pop('lab_arms.still', None)
        sys.modules.pop('lab_arms', None)
