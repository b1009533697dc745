"""The built-in kinds of check: one pure spec each (fields, CEL variables, natural condition).

A new kind is a module here and a driver of the same name in monitor_worker.checks.
"""

from collections.abc import Mapping
from typing import Final

from monitor_core.kinds.azure_operation import AzureOperationCheck
from monitor_core.kinds.azure_resource import AzureResourceCheck
from monitor_core.kinds.base import CheckSpec, Variable
from monitor_core.kinds.blob import BlobCheck
from monitor_core.kinds.file import FileCheck
from monitor_core.kinds.grpc import GrpcCheck
from monitor_core.kinds.http import HttpCheck
from monitor_core.kinds.simulated import SimulatedCheck
from monitor_core.kinds.sql import SqlCheck
from monitor_core.kinds.tcp import TcpCheck

BUILT_IN: Final[Mapping[str, type[CheckSpec]]] = {
    "azure_operation": AzureOperationCheck,
    "azure_resource": AzureResourceCheck,
    "blob": BlobCheck,
    "file": FileCheck,
    "grpc": GrpcCheck,
    "http": HttpCheck,
    "simulated": SimulatedCheck,
    "sql": SqlCheck,
    "tcp": TcpCheck,
}

__all__ = [
    "BUILT_IN",
    "AzureOperationCheck",
    "AzureResourceCheck",
    "BlobCheck",
    "CheckSpec",
    "FileCheck",
    "GrpcCheck",
    "HttpCheck",
    "SimulatedCheck",
    "SqlCheck",
    "TcpCheck",
    "Variable",
]
