"""The scikit-learn manner of holding options: stored as given, read by ``get_params``, changed by ``set_params``.

Written here so that importing the lens needs no scikit-learn; ``sklearn.base.clone`` works with it.
"""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from typing import Any, TypeVar

from deepradiomics.errors import InputError

Self = TypeVar("Self", bound="Parameters")


class Parameters:
    """Options are the keyword arguments of ``__init__``, each an attribute of that name."""

    @classmethod
    def _names(cls) -> tuple[str, ...]:
        return tuple(name for name in inspect.signature(cls.__init__).parameters if name != "self")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Options by name; ``deep`` is there for scikit-learn."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self: Self, **options: Any) -> Self:
        """Change options; raises InputError for a name that is none."""
        for name, value in options.items():
            if name not in self._names():
                near = get_close_matches(name, self._names(), n=1)
                hint = f" Did you mean {near[0]}?" if near else f" There are {', '.join(self._names())}."
                raise InputError(f"{type(self).__name__} has no option {name!r}.{hint}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = [f"{k}={v!r}" for k, v in self.get_params().items() if v != defaults[k].default]
        return f"{type(self).__name__}({', '.join(changed)})"
