"""The audits of the judge as the trial runner sees them: parameters, and the calls they need."""

from __future__ import annotations

from pathlib import Path
import time

from rcl_interfaces.srv import GetParameters
from rclpy.node import Node

from enpire_msgs.srv import JudgeEvidence
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout import answers
from enpire_nodes.rollout.auditing.audited import AuditedStation
from enpire_nodes.rollout.auditing.canaries import read_catalogue, StoredEvidence
from enpire_nodes.rollout.auditing.canary_trials import CanaryTrials
from enpire_nodes.rollout.auditing.doubt import Doubt
from enpire_nodes.rollout.calls import Link, Service
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.messages import verdict_record
from enpire_nodes.rollout.records import VerdictRecord
from enpire_nodes.rollout.station_client import EXECUTOR, JUDGE
from enpire_nodes.rollout.trial.port import Station
from enpire_nodes.ros.parameters import ParameterSpec

AUDIT_PARAMETERS = (
    ParameterSpec(
        'canary_every',
        0,
        'Trials between two turns of canaries, by which the judge is tested; 0 runs none.',
        minimum=0,
        maximum=100000,
        read_only=True,
    ),
    ParameterSpec(
        'canary_file',
        '',
        'Catalogue (JSON) of stored evidence to replay as canaries; empty replays none.',
        read_only=True,
    ),
)

_DEADLINE = 20.0  # s of the wall clock for an answer


class RunnerAudits:
    """Made in the thread that spins ``node``; the station it gives is used in another one."""

    def __init__(self, node: Node, link: Link) -> None:
        self._every = node.get_parameter('canary_every').value
        named = node.get_parameter('canary_file').value
        self._catalogue = read_catalogue(Path(named).expanduser()) if named else ()
        self._judge = Service(link, JudgeEvidence, 'judge_evidence', server=JUDGE)
        self._parameters = Service(
            link, GetParameters, f'{EXECUTOR}/get_parameters', server=EXECUTOR
        )

    def destroy(self) -> None:
        """Leave the graph."""
        self._judge.destroy()
        self._parameters.destroy()

    def watch(self, station: Station, *, ledger: Ledger, **shared: object) -> Station:
        """Return the station, audited.

        :param shared: what :class:`CanaryTrials` has in common with a RequestRunner.
        """
        doubt = Doubt(ledger.run.path)
        canaries = CanaryTrials(
            station=station,
            calls=self,
            ledger=ledger,
            doubt=doubt,
            every=self._every,
            catalogue=self._catalogue,
            **shared,
        )
        return AuditedStation(station, doubt, canaries)

    def current_controller(self) -> str:
        """Return the name of the executor's controller."""
        request = GetParameters.Request(names=['controller'])
        answer = self._parameters.call(request, deadline=time.monotonic() + _DEADLINE)
        return answer.values[0].string_value

    def judge_evidence(self, stored: StoredEvidence) -> VerdictRecord:
        """Let the judge judge stored evidence."""
        request = JudgeEvidence.Request(path=str(stored.path), digest=stored.digest)
        answer = self._judge.call(request, deadline=time.monotonic() + _DEADLINE)
        if answer.outcome != JudgeEvidence.Response.DECIDED:
            raise StationError(
                answers.code(answer.error_code, ErrorCode.REWARD_INTERNAL),
                answer.message or 'the judge refused stored evidence; see its log',
            )
        return verdict_record(answer.verdict)
