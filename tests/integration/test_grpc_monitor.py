"""A monitor of a gRPC service: checks by grpc.aio beside the SDK's own gRPC, in one process."""

from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1.health import HealthServicer
from grpc_health.v1.health_pb2 import HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server

from support.hub import PATIENCE, hub


def test_monitors_end_when_the_service_is_serving() -> None:
    server, health = grpc.server(ThreadPoolExecutor(4)), HealthServicer()
    add_HealthServicer_to_server(health, server)
    health.set("", HealthCheckResponse.NOT_SERVING)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    check = {"kind": "grpc", "host": "127.0.0.1", "port": port}
    try:
        with hub() as engine:
            engine.worker(allowed=(f"127.0.0.1:{port}",))
            often = {"interval_seconds": 0.2}
            instances = [
                engine.start(f"service-{n}", check=check, polling=often, timeout_seconds=PATIENCE)
                for n in range(3)
            ]
            denied = engine.start("denied", check={**check, "port": 1}, timeout_seconds=PATIENCE)
            assert engine.result(denied)["final_status"] == "Error"
            health.set("", HealthCheckResponse.SERVING)
            results = [engine.result(instance) for instance in instances]
    finally:
        server.stop(None).wait(PATIENCE)

    assert {result["final_status"] for result in results} == {"Completed"}
    assert {result["last_observation"]["status"] for result in results} == {"SERVING"}
