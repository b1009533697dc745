"""What the SDK says of its connection, as an operator reads it."""

import grpc
import pytest

from monitor_core.scheduler import sdk_logger


def error_of(code: grpc.StatusCode, details: str) -> str:
    """As gRPC itself writes it."""
    return (
        f'<_InactiveRpcError of RPC that terminated with:\n\tstatus = {code}\n\tdetails = "{details}"\n'
        '\tdebug_error_string = "UNKNOWN:Error received from peer {grpc_status:14}"\n>'
    )


def said(caplog: pytest.LogCaptureFixture, message: str) -> list[str]:
    sdk_logger().warning(message)
    return [record.getMessage() for record in caplog.records]


def test_a_failed_call_is_told_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    failed = error_of(grpc.StatusCode.UNAVAILABLE, "failed to connect to all addresses")
    assert said(caplog, f"Failed to create connection: {failed}") == [
        "Failed to create connection: UNAVAILABLE: failed to connect to all addresses"
    ]


def test_a_stream_that_the_worker_itself_has_ended_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    ended = error_of(grpc.StatusCode.CANCELLED, "Locally cancelled by application!")
    assert said(caplog, f"Error in work item stream: {ended}") == []
    assert said(caplog, f"Error: {error_of(grpc.StatusCode.CANCELLED, 'by the peer')}") == [
        "Error: CANCELLED: by the peer"
    ]


def test_all_else_is_told_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    assert said(caplog, "100 % of <it>\nis said") == ["100 % of <it>\nis said"]


def test_the_real_error_has_that_form(caplog: pytest.LogCaptureFixture) -> None:
    with grpc.insecure_channel("127.0.0.1:9") as channel, pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary("/x/y", None, None)(b"", timeout=5)
    (line,) = said(caplog, f"Failed to create connection: {failed.value}")
    assert line.startswith("Failed to create connection: UNAVAILABLE: ")
    assert "\n" not in line
