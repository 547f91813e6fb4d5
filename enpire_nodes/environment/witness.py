"""How a node of the environment tells what it runs: two parameters that nobody else can set."""

from __future__ import annotations

from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from enpire_nodes.environment.contract.identity import code_digest

_CODE, _SETTINGS = 'code_digest', 'settings_digest'


class Witness:
    """Shows digests as parameters of ``node``; the runner of a frozen station reads them.

    Made with the node, so that ``code_digest`` is of the code that its process has loaded.
    """

    def __init__(self, node: Node) -> None:
        self._node, self._ours = node, False
        # a parameter file or a command line must not speak for the node
        node.declare_parameter(
            _CODE,
            code_digest(),
            ParameterDescriptor(
                description='sha256 over the frozen code that this process runs.', read_only=True
            ),
            ignore_override=True,
        )
        node.declare_parameter(
            _SETTINGS,
            '',
            ParameterDescriptor(
                description='sha256 over settings and cameras; empty where there are none.'
            ),
            ignore_override=True,
        )
        node.add_on_set_parameters_callback(self._refuse)

    def tell(self, settings: str) -> None:
        """Show the digest of what the node was configured with."""
        self._ours = True
        try:
            self._node.set_parameters([Parameter(_SETTINGS, value=settings)])
        finally:
            self._ours = False

    def _refuse(self, parameters: list[Parameter]) -> SetParametersResult:
        foreign = not self._ours and any(entry.name == _SETTINGS for entry in parameters)
        return SetParametersResult(
            successful=not foreign,
            reason='settings_digest says what is; the node alone sets it' if foreign else '',
        )
