"""The contract between clients, orchestrator and worker: frozen, typed, versioned data.

Everything that is written into an orchestration's input, history, custom status or output is defined here, as
pydantic models. Times are timezone-aware UTC, durations are seconds.
"""

from monitor_core.contract.base import Model, Problem, RequestError, Utc
from monitor_core.contract.command import (
    AnyCommand,
    Cancel,
    CheckNow,
    Command,
    CommandOutcome,
    Complete,
    Edit,
    Extend,
    Pause,
    Resume,
    parse_command,
)
from monitor_core.contract.explain import EXPLAIN, EXPLAIN_PREFIX, LOOK, Evidence, Explanation, Judgement
from monitor_core.contract.names import (
    ACTIVITY,
    CONTROL_EVENT,
    INSTANCE_PREFIX,
    ORCHESTRATOR,
    VERSION,
    instance_id,
    instance_prefix,
    job_id_of,
)
from monitor_core.contract.notice import Notice, Occasion
from monitor_core.contract.request import (
    MonitorRequest,
    Polling,
    Tolerance,
    differing_fields,
    fingerprint,
    parse_request,
    request_schema,
)
from monitor_core.contract.schedule import Schedule
from monitor_core.contract.state import MonitorInput, Paused, Progress, Revision, Transition
from monitor_core.contract.turn import CheckError, ErrorClass, ObservationSummary, Turn, TurnEnd, TurnReport
from monitor_core.contract.verdict import (
    EXIT_CODES,
    DecidedBy,
    Decision,
    MonitorResult,
    MonitorStatus,
    Verdict,
)

__all__ = [
    "ACTIVITY",
    "CONTROL_EVENT",
    "EXIT_CODES",
    "EXPLAIN",
    "EXPLAIN_PREFIX",
    "INSTANCE_PREFIX",
    "LOOK",
    "ORCHESTRATOR",
    "VERSION",
    "AnyCommand",
    "Cancel",
    "CheckError",
    "CheckNow",
    "Command",
    "CommandOutcome",
    "Complete",
    "DecidedBy",
    "Decision",
    "Edit",
    "ErrorClass",
    "Evidence",
    "Explanation",
    "Extend",
    "Judgement",
    "Model",
    "MonitorInput",
    "MonitorRequest",
    "MonitorResult",
    "MonitorStatus",
    "Notice",
    "ObservationSummary",
    "Occasion",
    "Pause",
    "Paused",
    "Polling",
    "Problem",
    "Progress",
    "RequestError",
    "Resume",
    "Revision",
    "Schedule",
    "Tolerance",
    "Transition",
    "Turn",
    "TurnEnd",
    "TurnReport",
    "Utc",
    "Verdict",
    "differing_fields",
    "fingerprint",
    "instance_id",
    "instance_prefix",
    "job_id_of",
    "parse_command",
    "parse_request",
    "request_schema",
]
