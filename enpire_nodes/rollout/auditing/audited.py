"""A station whose judge is audited while trials run."""

from __future__ import annotations

from collections.abc import Mapping

from enpire_nodes.rollout.auditing.canary_trials import CanaryTrials
from enpire_nodes.rollout.auditing.doubt import Doubt
from enpire_nodes.rollout.records import ParameterValue
from enpire_nodes.rollout.trial.port import Station


class AuditedStation:
    """Prepares no trial while the judge is doubted, and runs the canaries that are due first.

    In all else it is ``station``; see :class:`~enpire_nodes.rollout.trial.port.Station`.
    """

    def __init__(self, station: Station, doubt: Doubt, canaries: CanaryTrials) -> None:
        self._station, self._doubt, self._canaries = station, doubt, canaries

    def __getattr__(self, name: str) -> object:
        return getattr(self._station, name)

    def prepare(self, controller: str, parameters: Mapping[str, ParameterValue]) -> str:
        """Prepare a trial, as the station does.

        :raises StationError: RUNNER_JUDGE_DOUBTED, until a person clears the alarm.
        """
        self._doubt.check()
        self._canaries.run_due()
        return self._station.prepare(controller, parameters)
