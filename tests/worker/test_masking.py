"""What leaves the worker holds no secret, in whatever form a target may have repeated it."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_worker.checks.masking import HIDDEN, Masker, masked
from support.strategies import examples

# In base64 it has a character of each of the two alphabets that differ.
SECRET = 'pässword/+ "&=7>>>???'


def masker(*secrets: str) -> Masker:
    made = Masker()
    for secret in secrets:
        made.add(secret)
    return made


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_hidden_in_every_form(form: str) -> None:
    assert form.rstrip("=") not in masker(SECRET)(f"it says {form} and {form}.")


def test_a_secret_inside_another_leaves_nothing_of_the_longer_one() -> None:
    assert masker("abcd", "abcdefgh")("x abcdefgh y abcd") == f"x {HIDDEN} y {HIDDEN}"


@pytest.mark.parametrize("length", range(8, 20))
def test_the_beginning_of_a_secret_that_is_cut_off_is_hidden(length: int) -> None:
    secret = "s3cr3t-0123456789-abcdef"
    assert masker(secret)(f"token {secret[:length]}") == f"token {HIDDEN}"


def test_a_text_without_a_secret_stays_as_it_is() -> None:
    assert masker("s3cr3t-0123456789")("s3cr3t- is no secret") == "s3cr3t- is no secret"


def test_data_is_masked_in_depth() -> None:
    data = {"a": ["x s3cr3t", {"s3cr3t": 1, "n": None}], "b": 1.5}
    assert masked(data, masker("s3cr3t")) == {"a": [f"x {HIDDEN}", {HIDDEN: 1, "n": None}], "b": 1.5}


def test_a_secret_too_short_to_be_hidden_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 4 characters"):
        masker("abc")


def test_it_keeps_a_bounded_number_and_the_newest() -> None:
    made = masker(*(f"secret-{number:05}" for number in range(3000)))
    assert made("secret-02999") == HIDDEN
    assert len(made._forms) <= 1000


@given(secret=st.text(min_size=4, max_size=40), before=st.text(max_size=30), after=st.text(max_size=30))
@examples(200)
def test_no_text_around_it_saves_a_secret(secret: str, before: str, after: str) -> None:
    try:
        made = masker(secret)
    except UnicodeEncodeError:
        return
    assert secret in HIDDEN * 3 or secret not in made(before + secret + after)
