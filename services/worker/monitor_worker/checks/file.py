"""The kind `file`: one look at a path, or at all that a pattern matches, below a folder that is allowed."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from monitor_core.kinds.file import FileCheck
from monitor_worker.checks.base import CheckContext, Observation, Resources
from monitor_worker.checks.file_errors import FAILURES, failed, not_allowed
from monitor_worker.checks.file_observation import observation
from monitor_worker.checks.file_walk import Found, find
from monitor_worker.checks.threads import Stopped, Threads

THREADS_A_ROOT: Final = 8


class FileDriver:
    """Makes the checks of the kind `file`.

    A system call on a mount that hangs cannot be given up: it keeps its thread until the mount answers. So each
    root has threads of its own, and few: what hangs takes neither the worker's threads nor those of another root.

    Args:
        roots: the folders that may be looked into, absolute and without `..`.
        now: the time as seconds since 1970 in UTC, to count ages from.
        look: finds the files below a root.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        now: Callable[[], float] = time.time,
        look: Callable[[Path, Sequence[str], Stopped], Found] = find,
    ) -> None:
        self._now, self._find = now, look
        self._threads = {root: Threads(THREADS_A_ROOT, f"file-{root}") for root in roots}

    async def check(self, spec: FileCheck, context: CheckContext) -> Observation:
        """Look once. Cancelled, it leaves a thread behind only while a system call does not come back.

        Raises:
            CheckFailed: the path is not allowed, or its root could not be looked into.
        """
        root = self._root_of(spec)
        below = spec.parts[len(root.parts) - 1 :]

        def look(stopped: Stopped) -> Observation:
            return observation(spec, self._find(root, below, stopped), context.checkpoint, self._now())

        deadline = asyncio.get_running_loop().time() + context.looking_seconds
        try:
            return await self._threads[root].run(look, deadline)
        except FAILURES as error:
            raise failed(error, spec.path, root) from error

    async def close(self) -> None:
        """There is nothing to close."""

    def _root_of(self, spec: FileCheck) -> Path:
        """The innermost root that the path is below: its own threads, where one is mounted in another."""
        parts = ("/", *spec.parts)
        fitting = [root for root in self._threads if parts[: len(root.parts)] == root.parts != parts]
        if not fitting:
            raise not_allowed(spec.path)
        return max(fitting, key=lambda root: len(root.parts))


def create(resources: Resources) -> FileDriver:
    """The driver of the kind `file`."""
    return FileDriver(resources.file_roots)
