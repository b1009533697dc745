"""A container's health check, where there is no curl: `python -m monitor_core.probe http://127.0.0.1:8081/healthz`."""

import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

PATIENCE_SECONDS = 5.0


def complaint(url: str, patience_seconds: float = PATIENCE_SECONDS) -> str | None:
    """None where a GET of `url` (plain HTTP, no proxy) is answered 200, else what is wrong."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=patience_seconds)
    try:
        connection.request("GET", parts.path)
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"{url} gives no answer: {error}"
    finally:
        connection.close()
    return None if status == HTTPStatus.OK else f"{url} answers {status}"


if __name__ == "__main__":
    sys.exit(complaint(sys.argv[1]))
