"""One guarded POST of a message as JSON: the driver of every chat that has incoming webhooks."""

import json
from collections.abc import Callable
from typing import Any

from monitor_core.contract import Notice
from monitor_worker.channels.base import DeliveryContext
from monitor_worker.channels.posting import Poster

LayOut = Callable[[Any, Notice, DeliveryContext], dict[str, Any]]
"""Makes the message of a spec, a notice and an attempt."""


class MessageChannel:
    """Delivers by posting messages.

    Args:
        poster: posts; it is closed with the driver.
        lay_out: makes the messages; raises CheckFailed where a template cannot be rendered.
    """

    def __init__(self, poster: Poster, lay_out: LayOut) -> None:
        self._poster, self._lay_out = poster, lay_out

    async def deliver(self, spec: Any, notice: Notice, context: DeliveryContext) -> str:
        """Post a message.

        Raises:
            CheckFailed: there is no message, or it was not taken.
        """
        body = json.dumps(self._lay_out(spec, notice, context), ensure_ascii=False).encode()
        target = await self._poster.target(spec)
        return await self._poster.post(target, body, {"Content-Type": "application/json"}, context)

    async def close(self) -> None:
        """Close every connection."""
        await self._poster.close()
