"""The last net of every log line: what looks like a credential is hidden, and the rest left as it was said."""

import time

import pytest

from monitor_core.telemetry.redaction import redacted

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl"


def unmasked(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("authorization=Basic dXNlcjpwYXNz", "authorization=Basic ***"),
        ("Proxy-Authorization: Basic dXNl", "Proxy-Authorization: Basic ***"),
        ("{'Authorization': 'Bearer abc', 'Accept': '*/*'}", "{'Authorization': 'Bearer ***', 'Accept': '*/*'}"),
        ('{"Authorization": "SharedKey me:abc="}', '{"Authorization": "SharedKey ***"}'),
        ("('Authorization', 'token ghp_abc')", "('Authorization', 'token ***')"),
        ("Authorization: abcdef", "Authorization: ***"),
        ("X-Api-Key: abcdef", "X-Api-Key: ***"),
        ("X-IDENTITY-HEADER=abcdef;", "X-IDENTITY-HEADER=***;"),
        ("sent bearer abcdefghijklmnopqrstuv", "sent bearer ***"),
        (f"a token {JWT} came", "a token *** came"),
        ("told by dmc_hBEwm-aBL7_Zv9 twice", "told by dmc_*** twice"),
        ("https://a.example/b?sv=1&sig=abc%3D&se=2", "https://a.example/b?sv=1&sig=***&se=2"),
        ("sig=abc", "sig=***"),
        ("https://a.example/api?code=abc", "https://a.example/api?code=***"),
        ('{"client_secret": "abc", "a": 1}', '{"client_secret": "***", "a": 1}'),
        ("grant?access_token=abc#x", "grant?access_token=***"),
        ("AccountName=me;AccountKey=abc==;EndpointSuffix=x", "AccountName=me;AccountKey=***;EndpointSuffix=x"),
        ("SharedAccessSignature=sv=1&sig=abc", "SharedAccessSignature=***"),
        ("Server=a;Password=abc;Database=b", "Server=a;Password=***;Database=b"),
        ("postgresql://me:p@ss/w0rd@db.example/x", "postgresql://me:***@db.example/x"),
        ("amqps://:abc@a.example", "amqps://:***@a.example"),
    ],
)
def test_what_looks_like_a_credential_is_hidden(said: str, shown: str) -> None:
    assert redacted(said, unmasked) == shown
    assert redacted(f"before {said}", unmasked) == f"before {shown}"


@pytest.mark.parametrize(
    "said",
    [
        "job-7: Completed after 3 checks in 1.2 s: status == 'Succeeded'",
        "https://a.example:8443/path?job=7&api-version=2024-01-01",
        "the exit code=3 of a bearer token",
        "2026-01-02T03:04:05Z INFO monitor: Health on http://127.0.0.1:8081/healthz and /readyz",
        "password authentication failed for user me@db.example",
    ],
)
def test_the_rest_is_left_as_it_was_said(said: str) -> None:
    assert redacted(said, unmasked) == said


def test_what_the_process_knows_is_hidden_first() -> None:
    assert redacted("the word", lambda text: text.replace("word", "***")) == "the ***"


@pytest.mark.parametrize(
    "piece", ["a.", "x://", "Authorization: ", "eyJ" + "a" * 10 + ".", "sig=", "a://:b", "; "]
)
def test_a_long_text_takes_no_longer_than_its_length(piece: str) -> None:
    def seconds(repeats: int) -> float:
        began = time.process_time()
        redacted(piece * repeats, unmasked)
        return time.process_time() - began

    # A square would be a minute and more.
    assert seconds(20_000) < 20
