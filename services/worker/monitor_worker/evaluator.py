"""Evaluates conditions: the plain ones here, the others in processes that may be ended.

That of CEL holds the interpreter's lock and cannot be interrupted: a condition that takes long would hold up all
monitors of the worker, and one that takes all memory would end it.
"""

import asyncio
import json
import os
import signal
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, cast
from weakref import WeakSet

from monitor_core.conditions import Condition, ConditionError
from monitor_worker import evaluation

PATIENCE: Final = 5.0
"""Seconds for an answer, by the clock: to wait for others, and to be evaluated. A turn has time for four."""
SLOW_SECONDS: Final = 0.05
"""A condition that has taken more CPU is evaluated beside the likes of it from then on, and holds up no other."""
_LONGEST_ANSWER: Final = 16 * 1024 * 1024
_OUT_OF_MEMORY: Final = -signal.SIGABRT
_TOO_MUCH: Final = {_OUT_OF_MEMORY: f"{evaluation.MEMORY_BYTES >> 20} MiB of memory"}
if sys.platform != "win32":
    _TOO_MUCH[-signal.SIGPROF] = f"{evaluation.CPU_SECONDS:g} s of CPU"


class Evaluator:
    """Evaluates conditions. For one event loop. A process is started when it is first needed, and kept."""

    def __init__(self) -> None:
        self._quick, self._slow = _Evaluation(), _Evaluation()
        self._slow_ones: WeakSet[Condition] = WeakSet()

    async def holds(self, condition: Condition, values: Mapping[str, Any]) -> bool:
        """Whether a condition holds for an observation's variables.

        Raises:
            ConditionError: it gave no truth value, takes more CPU or memory than a condition may, or could not be
                evaluated now.
        """
        if condition.is_plain:
            return condition.holds(values)
        answer = await self._asked(condition, values)
        if isinstance(answer, int) or answer["cpu_seconds"] > SLOW_SECONDS:
            self._slow_ones.add(condition)
        return _truth(condition.field, answer)

    async def close(self) -> None:
        """End the processes."""
        await self._quick.close()
        await self._slow.close()

    async def _asked(self, condition: Condition, values: Mapping[str, Any]) -> Any:
        field, variables = condition.field, dict(condition.variables)
        asked = {"field": field, "text": condition.text, "variables": variables, "values": dict(values)}
        process = self._slow if condition in self._slow_ones else self._quick
        try:
            return await process.answer(json.dumps(asked).encode() + b"\n")
        except (TypeError, ValueError, RecursionError) as error:
            raise _unjudged(field, f"what was seen is no JSON: {error}") from error
        except TimeoutError as error:
            raise _unjudged(field, f"there was no answer within {PATIENCE:g} s, others take long") from error
        except OSError as error:
            raise _unjudged(field, f"there can be no process for it: {error.strerror}") from error


class _Evaluation:
    """A process that evaluates one condition after the other; see `evaluation`."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._has_answered = False
        self._one_at_a_time = asyncio.Lock()

    async def answer(self, asked: bytes) -> Any:
        """What the process answers to a line, or its exit code where that has ended it.

        Raises:
            TimeoutError: it has not come to it in time, or not answered.
            OSError: there can be no process.
        """
        async with asyncio.timeout(PATIENCE), self._one_at_a_time:
            answer = await self._exchange(asked)
            if answer == _OUT_OF_MEMORY and self._has_answered:  # others have left it less than there is for each
                answer = await self._exchange(asked)
            return answer

    async def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _exchange(self, asked: bytes) -> Any:
        try:
            process = await self._running()
            writer, reader = cast("StreamWriter", process.stdin), cast("StreamReader", process.stdout)
            with suppress(ConnectionError):
                writer.write(asked)
                await writer.drain()
            answer = await reader.readline()
            if not answer:
                return await process.wait()
        except BaseException:
            await self.close()  # its answer would be taken for that of the next
            raise
        self._has_answered = True
        return json.loads(answer)

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._has_answered = False
            # No variable of the worker's: they hold secrets. A session of its own: Ctrl-C is not for it.
            needed = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}  # by Windows
            self._process = await create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                evaluation.__name__,
                stdin=PIPE,
                stdout=PIPE,
                limit=_LONGEST_ANSWER,
                env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **needed},
                start_new_session=True,
            )
        return self._process


def _truth(field: str, answer: Any) -> bool:
    match answer:
        case {"holds": bool(holds)}:
            return holds
        case {"problem": problem}:
            raise ConditionError(problem)
        case int(code) if code in _TOO_MUCH:
            raise ConditionError(
                f"{field} takes more than {_TOO_MUCH[code]}; make it look at less", permanent=True
            )
        case code:
            raise _unjudged(field, f"its process was ended ({code})")


def _unjudged(field: str, why: str) -> ConditionError:
    return ConditionError(f"{field} cannot be judged: {why}")
