"""What the help page says around the options; `{program}` is filled in."""

from typing import Final

HELP: Final = """\
Waits for a job: checks it, sleeps durably, checks again, until it has
succeeded, has failed, or the time is out.

The first form starts a monitor and shows its progress until the verdict. If
the same is being monitored already it joins that monitor; if that has ended it
starts it anew. The monitor goes on where this program is interrupted.

Examples:
  {program}
      a simulated job, to see how it looks
  {program} job-1 2 600 --url 'https://api.example.com/jobs/{job_id}'
      every 2 s for 10 min; done when the answer's status is Succeeded
  {program} site 30 3600 -u https://www.example.com/ --success-when 'code == 200'
  {program} -f job.yaml
      a request of any kind from a file
  {program} explain -f job.yaml
      one check, what it sees and would come to; nothing is started
  {program} start job-1 5 86400 -u 'https://api.example.com/jobs/{job_id}'
  {program} watch job-1 --output json
      start it and leave; come back later
  {program} start -f jobs.yaml -o ids | {program} wait -
      start all that a file asks for, and wait until all have ended
"""
EPILOG: Final = """\
Exit codes:
  0 Completed   1 Failed   3 Timeout   4 Cancelled
  5 Error: the check itself is broken, or forbidden; explain: it ended in an error
  2 wrong usage, a conflict, no such monitor
  6 the scheduler cannot be reached, or refuses; explain: no worker answers
  7 the watched run was replaced by another
  70 a defect of this program
  124 wait: its --timeout is over; the monitors go on
  130, 143 interrupted, terminated: the monitor goes on

Environment:
  ENDPOINT     the scheduler (default: the emulator, http://localhost:8080);
               https takes a credential, such as that of `az login`
  TASKHUB      its task hub (default: default)
  MONITOR_URL  the URL to check where none is given
  MONITOR_PLUGINS  plug-ins to enable, by the names of their kinds
  MONITOR_SERVER   as --server: go through this client-scheduler's HTTP API
  MONITOR_SERVER_AUDIENCE  what a token for it has to be for (api://...); https
               takes a credential, such as that of `az login`
  LOG_LEVEL    DEBUG, INFO, WARNING (default) or ERROR
  NO_COLOR     set it to have no colours
"""
