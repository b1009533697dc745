"""Files of requests, whatever is in them: documents, or one line that names the file and what to do."""

import json
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from monitor_client.documents import MOST_REQUESTS, parse
from monitor_client.request_files import read_documents, request_of
from monitor_core.contract import RequestError
from support.strategies import examples, refusal

GOOD = "job_id: a\ncheck:\n  kind: simulated\nlabels: {team: x}\n"
PIECES = [
    *(
        "a: ",
        "- ",
        "? ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        ": ",
        "\n",
        "\n  ",
        "\t",
        "---\n",
        "...\n",
        "# x\n",
        "%YAML 1.1\n",
    ),
    *(
        "&a ",
        "*a",
        "!!python/object:os.system ",
        "!x ",
        "<<: *a",
        "|\n  x",
        ">-\n  x",
        "'",
        '"',
        "''",
        '"\\ud800"',
    ),
    *(
        "\u2028",
        "\ufeff",
        "\x85",
        "\0",
        "\x1b[31m",
        "yes",
        "012",
        "1_0",
        "0x1",
        ".nan",
        ".inf",
        "1e999",
        "~",
        "2026-01-01",
    ),
    *(GOOD, "job_id", "check", "kind: http\n", "url: 'http://{x}/'\n", "null", '{"job_id": "j"}', "'\\ud800': 1"),
]
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=14).map("".join)


def read(text: str) -> None:
    """Read every request of a text."""
    for document in parse(text, "jobs.yaml"):
        request_of(document, {}, "new-id")


@examples(250)
@given(text=texts)
def test_a_text_is_read_or_refused_in_one_line_that_names_its_file(text: str) -> None:
    refused = refusal(lambda: read(text))
    if refused is not None:
        assert refused.problems
        assert all(problem.field.startswith("jobs.yaml") and problem.reason for problem in refused.problems)
        assert len(str(refused)) < 5000


@examples(40)
@given(content=st.binary(max_size=60) | texts.map(lambda text: text.encode("utf-16")))
def test_so_are_bytes(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "jobs.yaml"
    path.write_bytes(content)
    refused = refusal(lambda: read_documents(str(path)))
    assert refused is None or str(refused).startswith(str(path))


@pytest.mark.parametrize("loader", [yaml.CSafeLoader, yaml.SafeLoader])
@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]",
        "a: &a {b: *a}",
        "[" * 100_000,
        '{"a": ' * 100_000,
        "a:\n" + "".join(f"{' ' * depth}a:\n" for depth in range(1, 500)),
        "- " * 50_000,
        "- x\n" * (MOST_REQUESTS + 1),
        "---\nx\n" * (MOST_REQUESTS + 1),
        "[" + "1," * MOST_REQUESTS + "1]",
        "a: !!binary x",
        "? [a]\n: b",
    ],
    ids=lambda text: text[:12],
)
def test_a_bomb_is_refused_before_it_unfolds(text: str, loader: type) -> None:
    began = time.process_time()
    with pytest.raises(RequestError):
        parse(text, "jobs.yaml", loader)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("value", ["1" * 40_000 + "x", "1" + "_" * 200_000 + "x", "1." + "0" * 200_000 + "e"])
def test_what_begins_as_a_number_and_is_none_takes_no_time(value: str) -> None:
    began = time.process_time()
    (document,) = parse(f"a: {value}", "jobs.yaml")
    assert document.data == {"a": value}
    assert time.process_time() - began < 2


def test_a_number_of_thousands_of_digits_is_none_that_a_field_takes() -> None:
    digits = "1" * 5000
    for text in (f'{{"timeout_seconds": {digits}}}', f"timeout_seconds: {digits}"):
        with pytest.raises(RequestError, match="timeout_seconds: should be a finite number"):
            read(text)


def test_as_many_requests_as_a_file_may_hold_are_read(tmp_path: Path) -> None:
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps([{"job_id": "j"}] * MOST_REQUESTS))
    assert len(read_documents(str(path))) == MOST_REQUESTS
    path.write_text("[" + ",".join(["{}"] * (MOST_REQUESTS // 2)) + "]")
    two = path.read_text()
    path.write_text(f"---\n{two}\n---\n{two}\n---\n- {{}}\n")
    with pytest.raises(RequestError, match="holds more than 10,000 requests: make several files of it"):
        read_documents(str(path))
