"""Makes the checks of the kind `dns`."""

import asyncio
import socket

from durable_monitor_dns.spec import DnsCheck
from monitor_core.contract import ErrorClass
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources


class DnsDriver:
    """One object serves every monitor: what a check has to remember goes into the observation's checkpoint."""

    async def check(self, spec: DnsCheck, context: CheckContext) -> Observation:
        """One look at the target."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(spec.host, None)
        except socket.gaierror as error:
            if error.errno not in {socket.EAI_NONAME, socket.EAI_NODATA}:
                raise CheckFailed(ErrorClass.TRANSIENT, f"{spec.host} cannot be looked up now") from error
            return Observation("Absent", {"addresses": []})
        addresses = sorted({str(address[0]) for *_, address in found})
        return Observation("Found", {"addresses": addresses}, summary=", ".join(addresses))

    async def close(self) -> None:
        """Release what the driver holds."""


def create(resources: Resources) -> DnsDriver:
    """The driver, made when the kind is first asked for; `resources` has the guard, secrets and tokens."""
    return DnsDriver()
