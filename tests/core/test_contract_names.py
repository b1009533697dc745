"""Instance ids: what the engine takes, one for each job, readable where that can be."""

import hashlib
import re
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor_core.contract import INSTANCE_PREFIX, instance_id
from support.strategies import examples

# Close calls: what encodes to the same letters, what is too long by one, what looks like a shortened id.
tricky = st.text("a~%7E@\u00e9\U0001f600/ .", min_size=1, max_size=128)
job_ids = st.text(min_size=1, max_size=128) | tricky | tricky.map(lambda text: ("a" * 95 + text)[:128])


@given(job_ids)
@examples(100)
def test_an_instance_id_is_one_that_the_engine_takes(job_id: str) -> None:
    assert re.fullmatch(r"[!-~]{1,100}", instance_id(job_id))
    assert not instance_id(job_id).startswith("@")


@given(job_ids)
@examples(100)
def test_an_instance_id_leads_back_to_one_job_id_only(job_id: str) -> None:
    encoded, shortened, digest = instance_id(job_id).removeprefix(INSTANCE_PREFIX).partition("@")
    if shortened:
        assert digest == hashlib.sha256(job_id.encode()).hexdigest()[:32]
    else:
        assert unquote(encoded) == job_id


@given(job_ids, job_ids)
@example("~", "%7E")
@example("a" * 92, "a" * 93)
@example("a" * 93 + "b", "a" * 93 + "c")
@example(" a", "a")
@examples(100)
def test_two_job_ids_never_share_an_instance_id(one: str, other: str) -> None:
    assert (instance_id(one) == instance_id(other)) == (one == other)


@given(st.text("abcXYZ019_.-", min_size=1, max_size=92))
@examples(100)
def test_a_plain_job_id_stays_readable(job_id: str) -> None:
    assert instance_id(job_id) == f"monitor-{job_id}"


@pytest.mark.parametrize(
    ("job_id", "expected"),
    [
        ("build 7", "monitor-build%207"),
        ("a/b", "monitor-a%2Fb"),
        ("x" * 93, "monitor-" + "x" * 40 + "@971df830e27bad508b23d2dbc5d90981"),
    ],
)
def test_instance_ids_are_the_same_in_every_release(job_id: str, expected: str) -> None:
    assert instance_id(job_id) == expected
