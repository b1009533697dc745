"""What the person who looks at a page may do, so that it offers nothing that would be refused."""

from typing import Annotated

from fastapi import Depends, Request

from monitor_client.api.access import Principal, Role


def _may_operate(request: Request) -> bool:
    principal: Principal = request.state.principal
    return principal.may(Role.OPERATE)


MayOperate = Annotated[bool, Depends(_may_operate)]
"""Whether they have the role `Monitor.Operate`; the API is what holds to it."""
