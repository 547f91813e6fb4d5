"""Variables come back as they were, those that were not there too."""

import os

import pytest

from enpire_nodes.common.environ import restored


def test_variables_come_back_even_after_an_error(monkeypatch):
    monkeypatch.setenv('ENPIRE_A', 'before')
    monkeypatch.delenv('ENPIRE_B', raising=False)
    monkeypatch.setenv('ENPIRE_C', 'before')
    with pytest.raises(RuntimeError), restored('ENPIRE_A', 'ENPIRE_B'):
        os.environ.update(dict.fromkeys(('ENPIRE_A', 'ENPIRE_B', 'ENPIRE_C'), 'within'))
        raise RuntimeError
    assert os.environ['ENPIRE_A'] == 'before'
    assert 'ENPIRE_B' not in os.environ
    assert os.environ['ENPIRE_C'] == 'within'
