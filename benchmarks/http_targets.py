"""A process of pages to look at, each at its own port, that counts connections and requests.

It prints the pages' URLs and that of the counts, as JSON, and ends when its standard input does.
"""

import asyncio
import json
import sys

from aiohttp import web


class Pages:
    """Answers every request alike."""

    def __init__(self) -> None:
        self._server = web.Server(self._answer, access_log=None, keepalive_timeout=600)
        self.connections = self.requests = 0

    def connected(self) -> asyncio.Protocol:
        """A connection's protocol."""
        self.connections += 1
        return self._server()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        self.requests += 1
        return web.json_response({"status": "Running"})


async def main(pages: int) -> None:
    """Serve that many until nobody is there any more."""
    served = Pages()

    async def counts(request: web.BaseRequest) -> web.Response:
        return web.json_response({"connections": served.connections, "requests": served.requests})

    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(served.connected, "127.0.0.1", 0) for _ in range(pages)]
    servers.append(await loop.create_server(web.Server(counts, access_log=None), "127.0.0.1", 0))
    urls = [f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/status" for server in servers]
    print(json.dumps(urls), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
