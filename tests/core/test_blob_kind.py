"""The spec of the kind `blob`: which places it takes, and what never gets into a history."""

from typing import Any

import pytest
from pydantic import ValidationError

from monitor_core.conditions import check_conditions
from monitor_core.contract import parse_request
from monitor_core.kinds import BUILT_IN, BlobCheck

URL = "https://acct.blob.core.windows.net"
PLACE = {"account_url": URL, "container": "in", "blob": "a"}


def accepted(**fields: Any) -> BlobCheck:
    return BlobCheck.model_validate({**PLACE, "container": "inbox", **fields})


def refused(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        accepted(**fields)
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (URL, URL),
        (f"{URL}/", URL),
        ("https://acct.blob.core.usgovcloudapi.net", "https://acct.blob.core.usgovcloudapi.net"),
        ("http://127.0.0.1:10000/devstoreaccount1", "http://127.0.0.1:10000/devstoreaccount1"),
    ],
)
def test_an_account_s_url_is_taken_without_a_slash_at_its_end(url: str, kept: str) -> None:
    assert accepted(account_url=url).account_url == kept


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"{URL}/inbox", "fields of their own"),
        (f"{URL}/inbox/a", "fields of their own"),
        ("http://127.0.0.1:10000/devstoreaccount1/inbox", "fields of their own"),
        (f"{URL}/#a", "no ? or #"),
        ("https://user:pass@acct.blob.core.windows.net", "no user name or password"),
        ("acct", "absolute http or https URL"),
        ("DefaultEndpointsProtocol=https;AccountName=acct", "absolute http or https URL"),
    ],
)
def test_any_other_url_is_refused(url: str, why: str) -> None:
    assert why in refused(account_url=url)


def test_a_signature_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValidationError) as caught:
        accepted(account_url=f"{URL}/?sv=1&sig=s3cr3t")
    (error,) = caught.value.errors()
    assert error["type"] == "withheld"
    assert "s3cr3t" not in error["msg"]
    assert "name it in sas" in error["msg"]


@pytest.mark.parametrize("container", ["abc", "a-b-c", "$web", "$root", "0" * 63])
def test_a_container_s_name_is_taken(container: str) -> None:
    assert accepted(container=container).container == container


@pytest.mark.parametrize("container", ["ab", "Abc", "a--b", "-abc", "abc-", "a/b", "a_b", "..", "0" * 64, "abc\n"])
def test_what_is_no_container_s_name_is_refused(container: str) -> None:
    assert "container" in refused(container=container)


@pytest.mark.parametrize("name", ["", "a/../b", "..", "./a", "a\n", "a\x00", "x" * 1025])
def test_what_no_url_can_carry_is_no_blob_s_name(name: str) -> None:
    assert "blob" in refused(blob=name)


@pytest.mark.parametrize("prefix", ["", "in/", "in/.", "a b?"])
def test_a_prefix_may_be_the_beginning_of_any_name(prefix: str) -> None:
    assert accepted(blob=None, prefix=prefix).prefix == prefix


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"blob": None}, "blob or prefix is required"),
        ({"prefix": "in/"}, "blob or prefix is required, and not both"),
        ({"min_count": 2}, "only be reached with a prefix"),
        ({"sas": "env:MONITOR_SECRET_SAS", "anonymous": True}, "exclude each other"),
        ({"sas": "sv=1&sig=s3cr3t"}, "should be env:MONITOR_SECRET_NAME"),
        ({"blob": None, "prefix": "a", "min_count": 5001}, "less than or equal to 5000"),
        ({"account_key": "abcd"}, "Extra inputs"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(fields: dict[str, Any], why: str) -> None:
    assert why in refused(**fields)


def test_the_example_is_a_request() -> None:
    request = parse_request({"job_id": "job", **BlobCheck.example}, BUILT_IN)
    check_conditions(request, BUILT_IN)
    assert request.check == BlobCheck.example["check"]
