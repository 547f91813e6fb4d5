"""How a node of the environment tells what it runs: parameters that nobody else can set."""

from __future__ import annotations

from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.parameter import Parameter

from enpire_nodes.environment.contract.identity import code_digest, found_code, told_libraries
from enpire_nodes.ros.node import StationNode

_CODE, _LIBRARIES, _SETTINGS = 'code_digest', 'libraries', 'settings_digest'
_TOLD = {
    _CODE: 'sha256 over the frozen code that this process runs, or what is wrong with it; empty '
    'before the node was configured.',
    _LIBRARIES: 'Libraries that this process runs, as NAME=VERSION SHA256.',
    _SETTINGS: 'sha256 over settings and cameras; empty where there are none.',
}


class Witness:
    """Shows digests as parameters of ``node``; the runner of a frozen station reads them.

    Made with the node, so that ``code_digest`` is of the code that its process has loaded. Where
    that and the libraries come from is looked at when the node has been configured: by then it
    has imported what it works with.
    """

    def __init__(self, node: StationNode) -> None:
        self._node, self._ours = node, False
        self._configure, node.configure = node.configure, self._configured
        found_code()
        for name, description in _TOLD.items():
            # a parameter file or a command line must not speak for the node
            value = [''] if name == _LIBRARIES else ''
            descriptor = ParameterDescriptor(description=description)
            node.declare_parameter(name, value, descriptor, ignore_override=True)
        node.add_on_set_parameters_callback(self._refuse)

    def tell(self, settings: str) -> None:
        """Show the digest of what the node was configured with."""
        self._show({_SETTINGS: settings})

    def _configured(self) -> None:
        self._configure()
        self._show({_LIBRARIES: told_libraries()})
        self._show({_CODE: code_digest()})

    def _show(self, values: dict[str, str | list[str]]) -> None:
        self._ours = True
        try:
            self._node.set_parameters([Parameter(name, value=v) for name, v in values.items()])
        finally:
            self._ours = False

    def _refuse(self, parameters: list[Parameter]) -> SetParametersResult:
        foreign = [entry.name for entry in parameters if entry.name in _TOLD and not self._ours]
        return SetParametersResult(
            successful=not foreign,
            reason=f'{foreign[0]} says what is; the node alone sets it' if foreign else '',
        )
