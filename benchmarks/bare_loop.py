"""A process that looks at pages with no engine at all: asyncio, aiohttp, json, sleep.

It reads a line of JSON, `[INTERVAL_SECONDS, SPREAD_SECONDS, [URL...]]`, and goes on until it is ended.
"""

import asyncio
import json
import sys

import aiohttp


async def wait_for(session: aiohttp.ClientSession, url: str, interval: float, first: float) -> None:
    """Look until the page says so, at even times."""
    loop = asyncio.get_running_loop()
    due = loop.time() + first
    status = None
    while status != "Succeeded":
        await asyncio.sleep(due - loop.time())
        async with session.get(url) as answer:
            status = json.loads(await answer.read())["status"]
        due += interval


async def main() -> None:
    """Look at all of them."""
    interval, spread, urls = json.loads(sys.stdin.readline())
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        starts = ((url, spread * number / len(urls)) for number, url in enumerate(urls))
        await asyncio.gather(*(wait_for(session, url, interval, first) for url, first in starts))


if __name__ == "__main__":
    asyncio.run(main())
