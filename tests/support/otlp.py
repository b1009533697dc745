"""A collector in this process: it takes OTLP over HTTP and over gRPC, and keeps what comes, decoded."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Literal

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as traces_grpc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

PATIENCE = 30.0
Mood = Literal["takes", "refuses", "hangs"]
_REQUESTS: Final[Mapping[str, tuple[Any, Any]]] = {
    "/v1/traces": (traces.ExportTraceServiceRequest, traces.ExportTraceServiceResponse),
    "/v1/metrics": (metrics.ExportMetricsServiceRequest, metrics.ExportMetricsServiceResponse),
    "/v1/logs": (logs.ExportLogsServiceRequest, logs.ExportLogsServiceResponse),
}


class Span:
    """A span that has come."""

    def __init__(self, span: Any, service: str) -> None:
        self.service, self.name = service, span.name
        self.trace_id, self.span_id, self.parent_id = (
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
        )
        self.attributes = plain(span.attributes)
        self.events = [(event.name, plain(event.attributes)) for event in span.events]


class Log:
    """A log record that has come."""

    def __init__(self, record: Any, service: str) -> None:
        self.service, self.trace_id = service, record.trace_id.hex()
        self.body, self.severity = record.body.string_value, record.severity_text
        self.attributes = plain(record.attributes)


class Collector:
    """What has been sent so far. Safe on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans: list[Span] = []
        self._logs: list[Log] = []
        self._points: dict[str, dict[tuple[tuple[str, Any], ...], float]] = {}
        self.units: dict[str, str] = {}
        self.received: list[bytes] = []
        self.http_url = self.grpc_url = ""
        self.mood: Mood = "takes"
        self.refused: set[str] = set()
        """The signals that it would not take."""
        self.released = threading.Event()
        """Until then it does not answer where it hangs."""

    @property
    def spans(self) -> list[Span]:
        """Every span."""
        with self._lock:
            return list(self._spans)

    @property
    def logs(self) -> list[Log]:
        """Every log record."""
        with self._lock:
            return list(self._logs)

    @property
    def metrics(self) -> Mapping[str, Mapping[tuple[tuple[str, Any], ...], float]]:
        """Name to attributes (sorted pairs) to the last value, of a histogram the count."""
        with self._lock:
            return {name: dict(points) for name, points in self._points.items()}

    def wait_for(self, holds: Callable[["Collector"], bool], what: str) -> None:
        """Wait until something has come."""
        until = time.monotonic() + PATIENCE
        while not holds(self):
            assert time.monotonic() < until, f"no {what} within {PATIENCE:g} s"
            time.sleep(0.05)

    def take(self, request: Any) -> None:
        """Take in an export request."""
        with self._lock:
            self.received.append(request.SerializeToString())
            match request:
                case traces.ExportTraceServiceRequest():
                    for group, service in _groups(request.resource_spans):
                        self._spans += [Span(span, service) for scope in group.scope_spans for span in scope.spans]
                case logs.ExportLogsServiceRequest():
                    for group, service in _groups(request.resource_logs):
                        self._logs += [
                            Log(one, service) for scope in group.scope_logs for one in scope.log_records
                        ]
                case _:
                    for group, service in _groups(request.resource_metrics):
                        for scope in group.scope_metrics:
                            for metric in scope.metrics:
                                self._measure(metric, service)

    def _measure(self, metric: Any, service: str) -> None:
        self.units[metric.name] = metric.unit
        for point in getattr(metric, metric.WhichOneof("data")).data_points:
            attributes = {**plain(point.attributes), "service.name": service}
            value = point.count if hasattr(point, "count") else point.as_int or point.as_double
            self._points.setdefault(metric.name, {})[tuple(sorted(attributes.items()))] = value


def plain(attributes: Any) -> dict[str, Any]:
    """OTLP's attributes as a dictionary."""
    return {pair.key: _value(pair.value) for pair in attributes if isinstance(pair, KeyValue)}


def _value(value: AnyValue) -> Any:
    return getattr(value, str(value.WhichOneof("value")))


def _groups(groups: Any) -> Iterator[tuple[Any, str]]:
    for group in groups:
        yield group, str(plain(group.resource.attributes).get("service.name"))


@contextmanager
def collector() -> Iterator[Collector]:
    """A collector on free ports of this machine."""
    kept = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # the standard library's name
            request, response = _REQUESTS[self.path]
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            if kept.mood == "hangs":
                kept.released.wait(PATIENCE)
            if kept.mood != "takes":
                kept.refused.add(self.path.rpartition("/")[2])
                self.close_connection = True
                with suppress(OSError):  # who asked may be gone
                    self.send_error(401)
                return
            kept.take(request.FromString(sent))
            body = response().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    kept.http_url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    server = grpc.server(ThreadPoolExecutor(4))
    _serve(server, kept)
    kept.grpc_url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield kept
    finally:
        kept.released.set()
        server.stop(None).wait()
        http.shutdown()
        thread.join()
        http.server_close()


def _serve(server: grpc.Server, kept: Collector) -> None:
    def servicer(base: type, response: type) -> Any:
        def export(_: Any, request: Any, call: grpc.ServicerContext) -> Any:
            if kept.mood == "hangs":
                kept.released.wait(PATIENCE)
            if kept.mood != "takes":
                kept.refused.add(
                    response.__name__.removeprefix("Export").partition("Service")[0].lower().rstrip("s") + "s"
                )
                call.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")
            kept.take(request)
            return response()

        return type("Servicer", (base,), {"Export": export})()

    services: tuple[tuple[Callable[[Any, grpc.Server], None], type, type], ...] = (
        (
            traces_grpc.add_TraceServiceServicer_to_server,
            traces_grpc.TraceServiceServicer,
            traces.ExportTraceServiceResponse,
        ),
        (
            metrics_grpc.add_MetricsServiceServicer_to_server,
            metrics_grpc.MetricsServiceServicer,
            metrics.ExportMetricsServiceResponse,
        ),
        (
            logs_grpc.add_LogsServiceServicer_to_server,
            logs_grpc.LogsServiceServicer,
            logs.ExportLogsServiceResponse,
        ),
    )
    for add, base, response in services:
        add(servicer(base, response), server)
