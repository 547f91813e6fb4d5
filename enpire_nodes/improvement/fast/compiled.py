"""Compile an update as a whole, or run it as it is where that cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
import warnings

import torch

from enpire_nodes.improvement.fast.linear import DECLARED, OPERATOR

_OPTIONS = {
    'cpp_wrapper': True,
    # Random numbers come from torch's own generator, translated or not: saving it saves them.
    'fallback_random': True,
    'size_asserts': False,  # of what the products return, at each of them: 3% of an update
    'aot_inductor.custom_ops_to_c_shims': {OPERATOR: [DECLARED]},
}


class Compiled:
    """Calls ``function``, which ``torch.compile`` translates at the first call.

    That takes some 15 s once and fewer from then on, since the translation is kept in the user's
    cache. It needs a C++ compiler; where there is none, or ``function`` cannot be translated,
    a warning says so and the function runs untranslated, with the same result, only slower.

    A Python number that the function reads is part of the translation, and each change of it
    translates again, up to eight times; then it runs untranslated. Keep what changes in tensors.

    :param function: of tensors; may change them in place and call ``torch.autograd.grad``.
    :param enabled: False never translates.
    """

    def __init__(self, function: Callable[..., Any], *, enabled: bool = True) -> None:
        self._plain = self._call = function
        self.translated = False
        if enabled:
            # Lets it follow the gradients inside the function; torch 2.13 asks for it.
            torch._dynamo.config.trace_autograd_ops = True
            self._call = torch.compile(function, fullgraph=True, dynamic=False, options=_OPTIONS)
            self.translated = True

    def __call__(self, *arguments: Any) -> Any:
        """Call the function, translated if it can be."""
        if not self.translated:
            return self._plain(*arguments)
        try:
            return self._call(*arguments)
        except torch._dynamo.exc.TorchDynamoException as error:  # before anything was done
            reason = f'{type(error).__name__}: {error}'.splitlines()[0]
            warnings.warn(
                f'the update runs untranslated, and so slower, because of {reason}; '
                'a C++ compiler (g++) is needed',
                RuntimeWarning,
                stacklevel=2,
            )
            self.translated = False
            return self._plain(*arguments)


def translated(method: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a method that is to be translated, if the object's ``compiles`` is true."""
    key = f'_translated_{method.__qualname__}'

    @wraps(method)
    def call(self: Any, *arguments: Any) -> Any:
        if torch.compiler.is_compiling():
            return method(self, *arguments)  # it is part of what is being translated
        if key not in self.__dict__:
            self.__dict__[key] = Compiled(method.__get__(self), enabled=self.compiles)
        return self.__dict__[key](*arguments)

    return call
