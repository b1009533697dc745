"""The error of a check, as a driver raises it."""

from monitor_core.contract import ErrorClass


class CheckFailed(Exception):
    """A check that saw nothing to judge.

    Args:
        error_class: whether the next check may fare better.
        message: what was wrong, where, and what to do; it is shown to the user, so it holds no secret.
        retry_after_seconds: how long the target asks to be left alone.
    """

    def __init__(self, error_class: ErrorClass, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.error_class = error_class
        self.retry_after_seconds = retry_after_seconds
