"""Compile an update as a whole, or run it as it is where that cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
import warnings

import torch


class Compiled:
    """Calls ``function``, which ``torch.compile`` translates at the first call.

    That takes some 15 s once and 3 s from then on, since the translation is kept in the user's
    cache. It needs a C++ compiler; where there is none, or ``function`` cannot be translated,
    a warning says so and the function runs untranslated, with the same result, only slower.

    :param function: of tensors; may change them in place and call ``torch.autograd.grad``.
    :param enabled: False never translates.
    """

    def __init__(self, function: Callable[..., Any], *, enabled: bool = True) -> None:
        self._plain = function
        self._call = function
        self.translated = False
        if enabled:
            self._call = self._first

    def __call__(self, *arguments: Any) -> Any:
        """Call the function, translated if it could be."""
        return self._call(*arguments)

    def _first(self, *arguments: Any) -> Any:
        # Lets the translation follow the gradients inside the function; torch 2.13 asks for it.
        torch._dynamo.config.trace_autograd_ops = True
        translated = torch.compile(
            self._plain, fullgraph=True, dynamic=False, options={'cpp_wrapper': True}
        )
        try:
            result = translated(*arguments)
        except torch._dynamo.exc.TorchDynamoException as error:
            reason = f'{type(error).__name__}: {error}'.splitlines()[0]
            warnings.warn(
                f'the update runs untranslated, and so slower, because of {reason}; '
                'a C++ compiler (g++) is needed',
                RuntimeWarning,
                stacklevel=3,
            )
            self._call = self._plain
            return self._plain(*arguments)
        self._call, self.translated = translated, True
        return result
