"""The controller files that ship: nothing in them is unknown, out of range or misspelt."""

from pathlib import Path

import pytest
import yaml

from enpire_nodes.rollout.controllers import registry
from enpire_nodes.rollout.controllers.settings import build

FILES = sorted((Path(__file__).parents[3] / 'config' / 'controllers').glob('*.yaml'))


def test_there_are_some():
    assert {'learned', 'scripted', 'spiral_search'} <= {file.stem for file in FILES}


@pytest.mark.parametrize('file', FILES, ids=lambda file: file.stem)
def test_it_selects_its_controller_with_valid_settings(file):
    content = yaml.safe_load(file.read_text('utf-8'))
    assert list(content) == ['/**/policy_executor'], 'a namespaced node ignores any other key'
    parameters = content['/**/policy_executor']['ros__parameters']
    assert set(parameters) == {'controller', file.stem}
    assert parameters['controller'] == file.stem
    settings = registry.controller_class(file.stem).Settings
    assert build(settings, parameters[file.stem])
