"""Where it listens, how many it serves, and that nothing of it is left when it is stopped."""

import socket
import threading

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
import pytest

from dev.local_scheduler_rig import PATIENCE, instance_of, news, rig, timer
from local_scheduler import LocalScheduler, Mends

with_and_without = pytest.mark.parametrize("mended", [True, False])


@with_and_without
def test_many_waits_do_not_block_everything_else(mended: bool) -> None:
    with rig(Mends(pool=mended)) as it:
        stub = it.worker().stub
        never = pb.GetInstanceRequest(instanceId="never")
        waits = [stub.WaitForInstanceStart.future(never, timeout=PATIENCE) for _ in range(30)]
        threads_left = 30 if mended else 9
        it.until(lambda: len(it.backend._state_waiters.get("never", [])) == threads_left)
        if mended:
            assert not stub.GetInstance(never, timeout=PATIENCE).exists
        else:
            with pytest.raises(grpc.RpcError, match="DEADLINE_EXCEEDED"):
                stub.GetInstance(never, timeout=1)
        for wait in waits:
            wait.cancel()


@with_and_without
def test_large_messages_pass(mended: bool) -> None:
    with rig(Mends(pool=mended)) as it:
        large = "x" * 5_000_000
        if mended:
            assert it.start("one", input=large) == "one"
        else:
            with pytest.raises(grpc.RpcError, match="larger than max"):
                it.start("one", input=large)


def test_a_port_belongs_to_one_scheduler() -> None:
    with LocalScheduler() as first:
        port = int(first.address.rpartition(":")[2])

        with pytest.raises(OSError, match=rf"Cannot listen on 127\.0\.0\.1:{port}: .*another port"):
            LocalScheduler(port).start()


def test_an_impossible_port_is_named() -> None:
    with pytest.raises(OSError, match=r"127\.0\.0\.1:65536: .*port"):
        LocalScheduler(65536).start()


def test_every_scheduler_finds_a_free_port() -> None:
    with LocalScheduler() as first, LocalScheduler() as second:
        assert first.address != second.address


def test_only_loopback_is_served() -> None:
    with LocalScheduler() as scheduler:
        port = int(scheduler.address.rpartition(":")[2])

        with pytest.raises(OSError, match=r"refused|timed out|assign"):
            socket.create_connection(("127.0.0.2", port), timeout=1)


def test_told_another_host_it_listens_there() -> None:
    with LocalScheduler(host="0.0.0.0") as scheduler:
        host, _, port = scheduler.address.rpartition(":")
        socket.create_connection(("127.0.0.2", int(port)), timeout=PATIENCE).close()

    assert host == "0.0.0.0"


def test_there_is_no_address_before_the_start() -> None:
    with pytest.raises(RuntimeError, match=r"before start\(\)"):
        _ = LocalScheduler().address


def test_no_thread_outlives_the_scheduler() -> None:
    with rig() as it:
        worker = it.worker()
        it.start("one")
        worker.answer(worker.take(), timer(1))
        wait = worker.stub.WaitForInstanceCompletion.future(pb.GetInstanceRequest(instanceId="one"))

        it.scheduler.stop()

        assert isinstance(wait.exception(timeout=PATIENCE), grpc.RpcError)
        assert [thread for thread in threading.enumerate() if thread.name.startswith("local-scheduler")] == []
        it.scheduler.stop()  # again does no harm


def test_a_reset_forgets_everything_and_keeps_the_streams() -> None:
    with rig() as it:
        worker = it.worker(maxConcurrentOrchestrationWorkItems=1)
        it.start("one")
        it.start("queued")
        worker.take()

        it.scheduler.reset()

        assert it.client.get_orchestration_state("one") is None
        assert it.scheduler.actions == {}
        it.start("one")
        turn = worker.take()
        assert (instance_of(turn), news(turn)) == ("one", ["executionStarted"])
