"""What a hint tells to type works as it stands."""

from monitor_client.session import operand


def test_a_hint_names_the_server_that_was_gone_through() -> None:
    assert operand("a job", None) == "'a job'"
    assert operand("a job", "http://h:1") == "'a job' --server http://h:1"
