"""What a judge is made of, from its files."""

import pytest
import yaml

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.files import config_file
from enpire_nodes.environment.setup import judge_setup
from enpire_nodes.tasks import registry

STATION = config_file('stations/simulated.yaml')


def test_a_judge_has_the_cameras_that_its_task_needs_and_no_eyes_unless_they_are_named():
    setup = judge_setup('pin_insertion', None, STATION, None)
    assert tuple(setup.cameras) == setup.task.cameras
    assert setup.eyes is None
    assert setup.verifier().digest == setup.task.digest()
    assert set(setup.crops()) == set(setup.cameras)


def test_a_station_that_lacks_a_camera_is_refused(tmp_path):
    content = yaml.safe_load(STATION.read_text())
    del content['cameras']['front']
    (tmp_path / 'blind.yaml').write_text(yaml.safe_dump(content))
    with pytest.raises(StationError, match=r"blind\.yaml lacks .*'front'") as caught:
        judge_setup(
            'pin_insertion', None, tmp_path / 'blind.yaml', None,
            otherwise=ErrorCode.RESET_NOT_READY,
        )  # fmt: skip
    assert caught.value.code is ErrorCode.RESET_NOT_READY


@pytest.mark.parametrize(
    ('task', 'content', 'words'),
    [('other', '', 'other'), ('pin_insertion', 'a: [', 'bad'), ('pin_insertion', '3', 'bad')],
)
def test_what_cannot_be_used_is_named(tmp_path, task, content, words):
    (tmp_path / 'bad.yaml').write_text(content or STATION.read_text())
    with pytest.raises(StationError, match=words) as caught:
        judge_setup(task, None, tmp_path / 'bad.yaml', None)
    assert caught.value.code is ErrorCode.REWARD_INTERNAL


def test_a_task_without_learned_eyes_has_no_crops(monkeypatch):
    monkeypatch.setitem(registry.BUILT_IN, 'fake', 'environment.doubles:FakeTask')
    setup = judge_setup('fake', STATION, STATION, None)
    with pytest.raises(StationError, match='no `crops`') as caught:
        setup.crops()
    assert caught.value.code is ErrorCode.ENVIRONMENT_WEIGHTS_UNUSABLE
