"""Translated or not, an update does the same; without a compiler it says so and runs."""

import warnings

import pytest
import torch
import torch._inductor.config as inductor

from enpire_nodes.improvement.fast.compiled import Compiled, translated


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCHINDUCTOR_CACHE_DIR', str(tmp_path))
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def _descend(weights, x):
    leaf = weights.detach().requires_grad_()
    (gradient,) = torch.autograd.grad((leaf * x).sin().sum(), leaf)
    weights.sub_(0.1 * gradient)
    return gradient.norm()


@pytest.mark.slow
def test_translated_update_does_what_the_plain_one_does():
    plain, translated = torch.ones(20), torch.ones(20)
    descend = Compiled(_descend)
    for _ in range(3):
        x = torch.randn(20)
        expected, found = _descend(plain, x), descend(translated, x)
        torch.testing.assert_close(found, expected)

    assert descend.translated
    torch.testing.assert_close(translated, plain)


def test_without_a_compiler_it_warns_once_and_runs():
    weights, expected = torch.ones(20), torch.ones(20)
    descend, x = Compiled(_descend), torch.randn(20)

    no_compiler = inductor.patch({'cpp.cxx': ('/nonexistent/g++',)})
    with no_compiler, pytest.warns(RuntimeWarning, match='untranslated'):
        descend(weights, x)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        descend(weights, x)

    assert not descend.translated
    for _ in range(2):
        _descend(expected, x)
    torch.testing.assert_close(weights, expected)


def test_can_be_told_not_to_translate():
    descend = Compiled(_descend, enabled=False)
    descend(torch.ones(3), torch.ones(3))

    assert not descend.translated


class _Doubler:
    def __init__(self, compiles):
        self.compiles, self.calls = compiles, 0

    @translated
    def double(self, x):
        """Double it."""
        self.calls += 1
        return 2 * x


def test_a_method_is_translated_only_for_an_object_that_wants_it():
    doubler = _Doubler(compiles=False)

    assert doubler.double(torch.ones(2)).tolist() == [2.0, 2.0]
    assert doubler.calls == 1
    assert _Doubler.double.__doc__ == 'Double it.'
    (piece,) = [one for one in vars(doubler).values() if isinstance(one, Compiled)]
    assert not piece.translated
