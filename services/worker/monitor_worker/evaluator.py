"""Evaluates conditions: the plain ones here, the others in a process that may be ended.

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

from monitor_core.conditions import Condition, ConditionError
from monitor_core.contract import ErrorClass
from monitor_worker import evaluation
from monitor_worker.checks.failed import CheckFailed

PATIENCE: Final = 30.0
"""Seconds for an answer, by the clock: the CPU that it may take is much less."""
_LONGEST_ANSWER: Final = 16 * 1024 * 1024
_TOO_MUCH: Final = {-signal.SIGABRT: f"{evaluation.MEMORY_BYTES >> 20} MiB of memory"}
if sys.platform != "win32":
    _TOO_MUCH[-signal.SIGPROF] = f"{evaluation.CPU_SECONDS:g} s of CPU"


class Evaluator:
    """Evaluates conditions. For one event loop. Its process is started when it is first needed, and kept."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._one_at_a_time = asyncio.Lock()

    async def holds(self, condition: Condition, values: Mapping[str, Any]) -> bool:
        """Whether a condition holds for an observation's variables.

        Raises:
            ConditionError: it gave no truth value, or the process that evaluates it was ended from outside.
            CheckFailed: it takes more CPU or memory than a condition may.
        """
        if condition.is_plain:
            return condition.holds(values)
        field, variables = condition.field, dict(condition.variables)
        asked = {"field": field, "text": condition.text, "variables": variables, "values": dict(values)}
        try:
            line = json.dumps(asked).encode() + b"\n"
            async with self._one_at_a_time:
                answer = await self._answer(line)
        except (TypeError, ValueError, RecursionError) as error:
            raise _unjudged(field, f"what was seen is no JSON: {error}") from error
        except TimeoutError as error:
            raise _unjudged(field, f"there was no answer within {PATIENCE:g} s") from error
        except OSError as error:
            raise _unjudged(field, f"there can be no process for it: {error.strerror}") from error
        match answer:
            case {"holds": bool(holds)}:
                return holds
            case {"problem": problem}:
                raise ConditionError(problem)
            case int(code) if code in _TOO_MUCH:
                reason = f"{field} takes more than {_TOO_MUCH[code]}; make it look at less"
                raise CheckFailed(ErrorClass.PERMANENT, reason)
        raise _unjudged(field, f"its process was ended ({answer})")

    async def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _answer(self, asked: bytes) -> Any:
        """What the process answers, or its exit code where it has ended."""
        try:
            async with asyncio.timeout(PATIENCE):
                process = await self._running()
                writer, reader = cast("StreamWriter", process.stdin), cast("StreamReader", process.stdout)
                with suppress(ConnectionError):
                    writer.write(asked)
                    await writer.drain()
                answer = await reader.readline()
                return json.loads(answer) if answer else await process.wait()
        except BaseException:
            await self.close()  # its answer would be taken for that of the next
            raise

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            # No variable of the worker's: they hold secrets. A session of its own: Ctrl-C is not for it.
            self._process = await create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                evaluation.__name__,
                stdin=PIPE,
                stdout=PIPE,
                limit=_LONGEST_ANSWER,
                env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                start_new_session=True,
            )
        return self._process


def _unjudged(field: str, why: str) -> ConditionError:
    return ConditionError(f"{field} cannot be judged: {why}")
