"""The check of licences finds one that is not allowed, one that is not said, and one that nobody knows of."""

from pathlib import Path

import pytest

from licences import LOCKS, is_allowed, main, problems

ROOT = Path(__file__).parents[2]
LOCK = r"""one==1.0 \
    --hash=sha256:0
    # via two
two==2.0 ; sys_platform == "nowhere" \
    --hash=sha256:1
"""


@pytest.mark.parametrize(
    ("licence", "says"),
    [
        ("MIT", None),
        ("GPL-3.0-only", "one has the licence GPL-3.0-only"),
        ("MIT AND GPL-3.0-only", "one has the licence"),
        ("", "it says none"),
        (None, "one is not installed"),
    ],
)
def test_what_is_not_allowed_is_found(licence: str | None, says: str | None) -> None:
    found = list(problems(LOCK, {"one": licence}.get))
    assert (len(found) == 0) if says is None else (len(found) == 1 and says in found[0])


def test_of_several_one_may_choose() -> None:
    assert is_allowed("(GPL-3.0-only) OR (Apache-2.0 AND MIT)")
    assert not is_allowed("GPL-3.0-only OR AGPL-3.0-only")


def test_all_that_the_images_hold_is_allowed() -> None:
    assert all(len(list(problems((ROOT / lock).read_text(), lambda _: ""))) > 30 for lock in LOCKS), "all are seen"
    assert main([str(ROOT / lock) for lock in LOCKS]) == 0
