"""Time, CPU time and peak memory of one piece of work, and the table they end up in."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
GB = 1e9


@dataclass(frozen=True)
class Cost:
    """Medians over the repeats, in seconds.

    ``user`` is the CPU time without the system's own, which is mostly memory handed out page by page; ``least`` is the
    least CPU time of all runs, the one that others disturb least; ``extra`` is the peak of resident memory above the
    start, in GB.
    """

    wall: float
    cpu: float
    user: float
    extra: float
    least: float


def resident() -> int:
    """Resident bytes of this process; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE
    except OSError:
        return 0


class _Peak:
    """Samples the resident memory until stopped."""

    def __init__(self) -> None:
        self.start = self.most = resident()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._done.wait(0.01):
            self.most = max(self.most, resident())

    def __enter__(self) -> _Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self.most = max(self.most, resident())


def measure(work: Callable[[Any], Any], *, prepare: Callable[[], Any] = lambda: None, repeats: int = 3) -> Cost:
    """Run a piece of work several times; what ``prepare`` makes for it is not timed, what it returns is thrown away."""
    walls, cpus, users, peaks = [], [], [], []
    for _ in range(repeats):
        given = prepare()
        gc.collect()
        with _Peak() as peak:
            wall, cpu, user = time.perf_counter(), time.process_time(), os.times().user
            result = work(given)
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
            users.append(os.times().user - user)
        peaks.append((peak.most - peak.start) / GB)
        del result, given
    return Cost(*(statistics.median(values) for values in (walls, cpus, users, peaks)), least=min(cpus))


def table(rows: Sequence[tuple[str, Cost]], unit: str) -> str:
    """A Markdown table; ratios are each row's time over that of the row ``unit``."""
    base = dict(rows)[unit]
    lines = [
        "| | wall s | CPU s | user CPU s | least CPU s | wall | CPU | user CPU | least CPU | extra GB at the peak |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {c.wall:.2f} | {c.cpu:.2f} | {c.user:.2f} | {c.least:.2f} | {c.wall / base.wall:.2f} x "
        f"| {c.cpu / base.cpu:.2f} x | {c.user / base.user:.2f} x | {c.least / base.least:.2f} x | {c.extra:.2f} |"
        for name, c in rows
    ]
    return "\n".join(lines)


def machine(packages: Sequence[str]) -> str:
    """Cores, memory and versions: what the seconds belong to."""
    memory = "memory unknown"
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = f"{os.sysconf('SC_PHYS_PAGES') * PAGE / 2**30:.0f} GiB"
    held = []
    for package in packages:
        try:
            held.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            held.append(f"{package} absent")
    python = ".".join(map(str, sys.version_info[:3]))
    return f"{os.cpu_count()} cores, {memory}, {platform.system()}, Python {python}; {', '.join(held)}"
