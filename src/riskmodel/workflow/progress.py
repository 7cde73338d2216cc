"""How a long step tells that it moves on; silent unless somebody listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Listener", "Silent"]


class Listener(Protocol):
    """Somebody who wants to see progress."""

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Callable[[], None]]:
        """Open a task of ``total`` steps; call what is given after each."""
        ...


class Silent:
    """Nobody listens."""

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Callable[[], None]]:
        """Do nothing at each step."""
        yield lambda: None
