"""The gRPC server: on loopback unless told otherwise, alone on its port.

Threads and the size of messages are as it is told.
"""

import errno
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import durabletask.internal.orchestrator_service_pb2_grpc as stubs
import grpc

LOOPBACK = "127.0.0.1"
LARGEST_MESSAGE_BYTES = 64 * 1024 * 1024
ALONE = [("grpc.so_reuseport", 0)]
LARGE_MESSAGES = [
    ("grpc.max_receive_message_length", LARGEST_MESSAGE_BYTES),
    ("grpc.max_send_message_length", LARGEST_MESSAGE_BYTES),
]


def listen(
    servicer: stubs.TaskHubSidecarServiceServicer,
    host: str,
    port: int,
    *,
    pool: ThreadPoolExecutor,
    large_messages: bool,
) -> tuple[grpc.Server, int]:
    """Serve `servicer` and return the started server with the port it really has (0 asks for a free one).

    Raises:
        OSError: the port cannot be had.
    """
    _require_free(host, port)
    server = grpc.server(pool, options=ALONE + (LARGE_MESSAGES if large_messages else []))
    add = cast(
        "Callable[[stubs.TaskHubSidecarServiceServicer, grpc.Server], None]",
        stubs.add_TaskHubSidecarServiceServicer_to_server,
    )
    add(servicer, server)
    try:
        bound = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:  # somebody was faster
        raise _refused(host, port, os.strerror(errno.EADDRINUSE)) from error
    server.start()
    return server, bound


def _require_free(host: str, port: int) -> None:
    """Ask the socket itself: gRPC would print lines of its own to stderr before it says no."""
    with socket.socket() as probe:
        # As gRPC does; without it a port whose last connections linger would count as taken.
        if os.name == "posix":  # elsewhere it means the opposite
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise _refused(host, port, getattr(error, "strerror", None) or str(error)) from error


def _refused(host: str, port: int, why: str) -> OSError:
    return OSError(
        f"Cannot listen on {host}:{port}: {why}. Stop what listens there or choose another port (0: any free one)."
    )
