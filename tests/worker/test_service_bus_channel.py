"""The kind `service_bus`: the real SDK against a peer that speaks AMQP 1.0 over TLS and shares no code with it."""

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from pydantic import ValidationError

from monitor_core.channels.service_bus import ServiceBusChannel
from monitor_core.contract import ErrorClass, Notice
from monitor_worker.channels.base import CheckFailed, DeliveryContext, Resources
from monitor_worker.channels.service_bus import ServiceBusDriver
from monitor_worker.channels.service_bus_sender import GuardedSender
from monitor_worker.channels.service_bus_senders import Place, Senders
from monitor_worker.checks.masking import Masker
from monitor_worker.checks.origins import Allowed, Origin
from monitor_worker.checks.targets import Resolve, TargetGuard
from monitor_worker.checks.tokens import AUDIENCES, Tokens
from support import hostile, tls
from support.notices import CONTEXT, notice
from support.service_bus import HOST, TOKEN, Broker, broker
from support.tokens import OneToken

SOON: Final = DeliveryContext("deliver-1", "run-1.1", 1, 0.5, "/taskhubs/default")
AUDIENCE: Final = "https://servicebus.azure.net"


@pytest.fixture(scope="module")
def namespace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("service_bus")) as running:
        yield running


@asynccontextmanager
async def driving(
    port: int,
    *,
    host: str = HOST,
    token: str = TOKEN,
    allow: tuple[str, ...] = ("{host}:{port}",),
    audience: str = "https://servicebus.azure.net=amqps://{host}:{port}",
    resolve: Resolve | None = None,
    masker: Masker | None = None,
    identity: OneToken | None = None,
) -> AsyncIterator[ServiceBusDriver]:
    """A driver for a port of this machine, which is known by the host's name."""
    identity = identity or OneToken(token)
    guard = TargetGuard(
        [entry.format(host=host, port=port) for entry in allow], (), resolve or hostile.resolving("127.0.0.1")
    )
    tokens = Tokens(Allowed([audience.format(host=host, port=port)]), lambda: identity, masker)
    driver = ServiceBusDriver(Resources(guard, tokens=tokens), tls.client_context())
    try:
        yield driver
    finally:
        await driver.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert [task for task in others if "silent" not in repr(task)] == []


def spec(port: int, queue: str | None = "verdicts", **fields: Any) -> ServiceBusChannel:
    return ServiceBusChannel.model_validate(
        {"kind": "service_bus", "namespace": HOST, "port": port, "queue": queue, **fields}
    )


async def refused(
    driver: ServiceBusDriver, to: ServiceBusChannel, context: DeliveryContext = CONTEXT
) -> CheckFailed:
    with pytest.raises(CheckFailed) as failed:
        await driver.deliver(to, notice(), context)
    assert TOKEN not in str(failed.value)
    assert failed.value.__cause__ is None
    return failed.value


async def test_a_notice_is_one_message(namespace: Broker) -> None:
    identity = OneToken(TOKEN)
    async with driving(namespace.port, identity=identity) as driver:
        said = await driver.deliver(spec(namespace.port, "one"), notice("a job/1"), CONTEXT)
    assert said == "accepted by queue one"
    (message,) = namespace.seen("message", "one")
    body = json.loads(message.pop("body"))
    assert message == {
        "what": "message",
        "entity": "one",
        "message_id": notice("a job/1").id,
        "group_id": notice("a job/1").instance_id,
        "subject": "monitors/a%20job%2F1",
        "content_type": "application/cloudevents+json",
        "application_properties": {"occasion": "verdict", "status": "Failed", "job_id": "a job/1", "kind": "http"},
    }
    assert body["type"] == "DurableMonitor.Verdict"
    assert body["id"] == message["message_id"]
    assert Notice.model_validate(body["data"]) == notice("a job/1")
    assert identity.scopes == ["https://servicebus.azure.net/.default"]
    assert namespace.seen("token")[-1] == {
        "what": "token",
        "name": f"sb://{HOST}/one",
        "type": "jwt",
        "allowed": True,
    }
    assert {each["host"] for each in namespace.seen("connection")} == {HOST}


async def test_the_example_topics_and_ids_that_are_too_long(namespace: Broker) -> None:
    example = ServiceBusChannel.model_validate({**ServiceBusChannel.example["to"], "port": namespace.port})
    topic, long = spec(namespace.port, None, topic="team/ops"), notice(id="x" * 200)
    async with driving(namespace.port) as driver:
        said = await asyncio.gather(
            driver.deliver(example, notice(), CONTEXT),
            driver.deliver(topic, notice(), CONTEXT),
            *(driver.deliver(spec(namespace.port, "long"), long, CONTEXT) for _ in range(2)),
        )
    assert said[:2] == ["accepted by queue verdicts", "accepted by topic team/ops"]
    assert len(namespace.seen("message", "team/ops")) == 1
    # Where Service Bus takes none so long the id is another, the same for each attempt.
    first, second = namespace.seen("message", "long")
    assert len(first["message_id"]) == 64
    assert first == second
    assert json.loads(first["body"])["id"] == long.id


SAID: Final = {
    "missing": (ErrorClass.MISCONFIGURED, f"there is no queue missing at {HOST}: see to.queue"),
    "forbidden": (ErrorClass.PERMANENT, "the role Azure Service Bus Data Sender"),
    "disabled": (ErrorClass.TRANSIENT, "is disabled: enable it"),
    "elsewhere": (ErrorClass.PERMANENT, "does not take this (amqp:link:redirect)"),
    "unlike": (ErrorClass.PERMANENT, "does not take this (amqp:not-allowed)"),
    "full": (ErrorClass.TRANSIENT, "is full"),
    "busy": (ErrorClass.TRANSIENT, "is busy"),
    "slow": (ErrorClass.TRANSIENT, "did not answer in time"),
    "narrow": (ErrorClass.PERMANENT, "more than queue narrow"),
    "odd": (ErrorClass.TRANSIENT, "did not take this (amqp:internal-error)"),
    "closing": (ErrorClass.TRANSIENT, "it broke"),
}


async def test_what_the_namespace_says_has_its_class(namespace: Broker) -> None:
    async with driving(namespace.port) as driver:
        *errors, topic = await asyncio.gather(
            *(refused(driver, spec(namespace.port, queue)) for queue in SAID),
            refused(driver, spec(namespace.port, None, topic="missing")),
        )
    for error, (queue, (error_class, words)) in zip(errors, SAID.items(), strict=True):
        assert error.error_class is error_class, queue
        assert words in str(error)
        assert error.retry_after_seconds == (10 if queue == "busy" else None)
    assert "there is no topic missing" in str(topic)
    assert "see to.topic" in str(topic)


async def test_a_token_that_is_refused_is_final(namespace: Broker) -> None:
    async with driving(namespace.port, token="another") as driver:
        error = await refused(driver, spec(namespace.port, "guarded"))
    assert error.error_class is ErrorClass.PERMANENT
    assert "refuses the worker's identity" in str(error)
    assert namespace.seen("message", "guarded") == []


async def test_a_broker_that_dies_in_mid_transfer_gets_it_again_by_the_same_id(namespace: Broker) -> None:
    to = spec(namespace.port, "dying")
    async with driving(namespace.port) as driver:
        error = await refused(driver, to)
        assert await driver.deliver(to, notice(), CONTEXT) == "accepted by queue dying"
    assert error.error_class is ErrorClass.TRANSIENT
    first, second = namespace.seen("message", "dying")
    assert first["message_id"] == second["message_id"] == notice().id


async def test_a_certificate_for_another_name_is_final_and_nothing_is_sent(namespace: Broker) -> None:
    before = len(namespace.seen("connection"))
    async with driving(namespace.port, host="other.example") as driver:
        error = await refused(driver, spec(namespace.port, namespace="other.example"))
    assert error.error_class is ErrorClass.PERMANENT
    assert "certificate of other.example" in str(error)
    assert "mismatch" in str(error)
    assert len(namespace.seen("connection")) == before


async def test_an_authority_that_is_not_trusted_is_final(namespace: Broker) -> None:
    async with driving(namespace.port) as driver:
        driver._tls = ssl.create_default_context()
        error = await refused(driver, spec(namespace.port))
    assert error.error_class is ErrorClass.PERMANENT


async def test_the_token_goes_to_no_other_origin(namespace: Broker) -> None:
    identity, before = OneToken(TOKEN), len(namespace.seen("connection"))
    entry = "https://servicebus.azure.net=amqps://{host}"
    async with driving(namespace.port, audience=entry, identity=identity) as driver:
        error = await refused(driver, spec(namespace.port))
    assert error.error_class is ErrorClass.MISCONFIGURED
    wanted = f"add https://servicebus.azure.net=amqps://{HOST}:{namespace.port} to MONITOR_ALLOWED_AUDIENCES"
    assert wanted in str(error)
    assert identity.scopes == []
    assert len(namespace.seen("connection")) == before


async def test_the_address_that_is_permitted_is_the_one_that_is_connected_to(
    namespace: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver = hostile.Rebinding()
    async with hostile.trap() as proxy:
        hostile.set_proxies(monkeypatch, f"http://127.0.0.1:{proxy.port}")
        async with driving(namespace.port, resolve=resolver) as driver:
            await driver.deliver(spec(namespace.port), notice(), CONTEXT)
        assert proxy.connections == 0
    assert resolver.asked == 1


async def test_the_next_address_is_tried(namespace: Broker) -> None:
    async with driving(namespace.port, resolve=hostile.resolving("127.0.0.2", "127.0.0.1")) as driver:
        await driver.deliver(spec(namespace.port), notice(), CONTEXT)


async def test_a_namespace_that_is_not_there_is_waited_for() -> None:
    async with driving(1) as driver:
        error = await refused(driver, spec(1))
    assert error.error_class is ErrorClass.TRANSIENT
    assert f"no connection to {HOST}:1" in str(error)


async def test_the_connection_is_kept_for_the_next_delivery(namespace: Broker) -> None:
    before = len(namespace.seen("connection"))
    async with driving(namespace.port) as driver:
        to = spec(namespace.port, "many")
        await asyncio.gather(*(driver.deliver(to, notice(str(n)), CONTEXT) for n in range(20)))
    assert len(namespace.seen("connection")) == before + 1
    assert {each["application_properties"]["job_id"] for each in namespace.seen("message", "many")} == {
        str(n) for n in range(20)
    }


async def test_a_connection_that_the_namespace_has_closed_is_not_used_again(namespace: Broker) -> None:
    async with driving(namespace.port) as driver:
        for n in (1, 2):
            await driver.deliver(spec(namespace.port, "leaving"), notice(), CONTEXT)
            await asyncio.to_thread(namespace.wait, "left", n)
            await asyncio.sleep(0.1)


async def test_a_connection_that_is_old_is_closed_unless_it_is_lent() -> None:
    made = list[FakeSender]()

    async def make() -> GuardedSender:
        made.append(FakeSender())
        return made[-1]  # type: ignore[return-value] # what is used of one

    senders, place = Senders(kept_seconds=0.05), Place("a", 1, "b", None)
    async with senders.lent(place, make):
        await asyncio.sleep(0.1)
        assert made[0].ends == 0
    await asyncio.sleep(0.02)
    assert made[0].ends == 1
    async with senders.lent(place, make):
        pass
    assert len(made) == 2
    assert len(senders._lines) == 1
    await senders.close()
    assert made[1].ends == 1
    assert len(senders._lines) == 0


class FakeSender:
    ends = 0
    is_open = True

    def cut(self) -> None:
        self.ends += 1

    async def close(self) -> None:
        self.ends += 1


async def test_nothing_is_delivered_once_it_is_closed(namespace: Broker) -> None:
    async with driving(namespace.port) as driver:
        await driver.close()
        assert "the worker is stopping" in str(await refused(driver, spec(namespace.port)))


async def test_a_delivery_that_is_cancelled_leaves_nothing_behind(namespace: Broker) -> None:
    queues, gone = ("hanging", "released"), len(namespace.seen("disconnected"))
    async with driving(namespace.port) as driver:
        deliveries = [
            asyncio.create_task(driver.deliver(spec(namespace.port, queue), notice(), CONTEXT)) for queue in queues
        ]
        for queue in queues:
            await asyncio.to_thread(namespace.wait, "message", entity=queue)
        for delivery in deliveries:
            delivery.cancel()
            with pytest.raises(asyncio.CancelledError):
                await delivery
        await asyncio.to_thread(namespace.wait, "disconnected", gone + len(queues))


@asynccontextmanager
async def silent(says: bytes = b"", *, encrypted: bool = True) -> AsyncIterator[tuple[int, asyncio.Queue[bytes]]]:
    """A port that takes connections, says this and no more; and what each sent until it was closed."""
    ended: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(says)
        heard = b""
        try:
            heard = await reader.read()
        except OSError:
            pass
        finally:
            writer.transport.abort()
            ended.put_nowait(heard)

    context = tls.server_context(HOST) if encrypted else None
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1], ended


@pytest.mark.parametrize("encrypted", [True, False])
async def test_a_server_that_says_nothing_is_let_go_of(encrypted: bool) -> None:
    async with silent(encrypted=encrypted) as (port, ended):
        async with driving(port) as driver:
            error = await refused(driver, spec(port), SOON)
        assert error.error_class is ErrorClass.TRANSIENT
        assert "did not answer in time" in str(error)
        assert TOKEN.encode() not in await asyncio.wait_for(ended.get(), 30)


@pytest.mark.parametrize(
    "says",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9, b"AMQP\x00\x01\x00\x00" * 9, b"AMQP\x03\x01\x00\x00" + b"\xff" * 99],
)
async def test_what_speaks_something_else_is_no_namespace(says: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    async with silent(says) as (port, ended):
        async with driving(port) as driver:
            error = await refused(driver, spec(port), SOON)
        assert error.error_class is ErrorClass.TRANSIENT
        assert TOKEN.encode() not in await asyncio.wait_for(ended.get(), 30)


async def test_the_token_is_masked_and_logged_nowhere(namespace: Broker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    masker = Masker()
    async with driving(namespace.port, masker=masker) as driver:
        await driver.deliver(spec(namespace.port), notice(), CONTEXT)
        assert TOKEN not in caplog.text
        await refused(driver, spec(namespace.port, "forbidden"))
    # This namespace repeats it in what it says, which the SDK logs: as the worker masks its log, it is not there.
    assert TOKEN in caplog.text
    assert TOKEN not in masker(caplog.text)


def test_azure_s_own_namespaces_need_no_setting() -> None:
    allowed = Allowed(AUDIENCES)
    assert allowed.permits(AUDIENCE, Origin.parse(f"amqps://{HOST}:5671"))
    for other in (f"amqps://{HOST}:5672", f"https://{HOST}", "amqps://servicebus.windows.net.evil.example"):
        assert not allowed.permits(AUDIENCE, Origin.parse(other))


@pytest.mark.parametrize(
    "fields",
    [
        {"topic": "both"},
        {"queue": None},
        {"queue": "?x=1"},
        {"queue": "a b"},
        {"queue": "/a"},
        {"queue": "x" * 261},
        {"namespace": f"sb://{HOST}"},
        {"namespace": f"{HOST}/x"},
        {"namespace": f"Endpoint=sb://{HOST}/;SharedAccessKey=x"},
        {"port": 0},
        {"connection_string": "x"},
    ],
)
def test_what_is_wrong_is_refused_at_the_door(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ServiceBusChannel.model_validate({**ServiceBusChannel.example["to"], **fields})
