"""The node that audits the judge: latched ``audit_status``, services ``~/label``, ``~/clear``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
import time

from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from enpire_msgs.msg import AuditStatus, Trial, Verdict
from enpire_msgs.srv import LabelTrial
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.context import load_context
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.rollout.audit_messages import status_message
from enpire_nodes.rollout.auditing.alarm import SECOND
from enpire_nodes.rollout.auditing.desk import AuditDesk
from enpire_nodes.rollout.auditing.sample import audit_key, Sampler
from enpire_nodes.rollout.auditing.second import Finding, SecondVerifier
from enpire_nodes.rollout.auditor_parameters import alarm_rule, PARAMETERS
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.recording.evidence import evidence_of
from enpire_nodes.rollout.records import AttemptRecord, TrialRecord, VerdictOutcome
from enpire_nodes.rollout.run_directory import RunDirectory
from enpire_nodes.ros import qos
from enpire_nodes.ros.main import run
from enpire_nodes.ros.node import StationNode
from enpire_nodes.tasks.second_opinion import second_opinion_of

__all__ = ['PARAMETERS', 'JudgeAuditor', 'main']

#: s of the wall clock between two looks at what the command ``enpire audit`` wrote.
_LOOK = 1.0
#: s of the wall clock after which a ground truth is too old to be that of a verdict.
_FRESH = 1.0


class JudgeAuditor(StationNode):
    """Hears of every trial, and holds each verdict against whoever else can tell.

    The ledger and the audit book are the truth: what was missed while the node was down is caught
    up at the next start, except for the ground truth of a simulator, which is gone then.
    """

    def __init__(self, **arguments: object) -> None:
        super().__init__('judge_auditor', parameters=PARAMETERS, **arguments)
        self._desk: AuditDesk | None = None
        self._second: SecondVerifier | None = None
        self._ledger: LedgerReader | None = None
        self._truth = (False, -float('inf'))  # what it is, and when it was heard
        self._truths: dict[str, dict[int, bool]] = {}
        self._alarm = ''

    def configure(self) -> None:
        """Open the book, listen, and offer the services."""
        directory = self._value('run_directory')
        if not directory:
            raise StationError(
                ErrorCode.RUNNER_BAD_REQUEST,
                "run_directory is empty: set it to the trial runner's, whose trials to audit",
            )
        self._run = RunDirectory(Path(directory).absolute())
        self._setup = load_context(self, otherwise=ErrorCode.RUNNER_STATION_NOT_READY)
        self._rule = alarm_rule(self)
        sampler = Sampler(audit_key(), self._value('sample_share'))
        self._desk = AuditDesk(self._run.path, sampler, self._rule)
        self._statuses = self.create_publisher(AuditStatus, 'audit_status', qos.LATCHED)
        self._heard = (
            self.create_subscription(Trial, 'trial', self._on_trial, qos.EVENTS),
            # not latched: a verdict of before would meet the truth of now, which may be that of
            # the next attempt. A simulator's truth on it is lost; the other auditors catch up
            self.create_subscription(Verdict, 'verdict', self._on_verdict, qos.EVENTS),
            self.create_subscription(
                Bool, 'ground_truth/scene/success', self._on_truth, qos.ARM_STATE
            ),
        )
        self._offered = (
            self.create_service(LabelTrial, '~/label', self._label),
            self.create_service(Trigger, '~/clear', self._clear),
        )
        self._clock_of_looks = self.create_steady_timer(_LOOK, self._look)

    def activate(self) -> None:
        """Catch up with the ledger."""
        opinion = None
        if self._value('second_verifier'):
            opinion = second_opinion_of(self._setup.task, self._setup.cameras)
        if opinion is not None:
            self._second = SecondVerifier(opinion, read=self._evidence, found=self._found)
        for trial in self._closed_trials():
            self._hear(trial)
        self._tell()

    def deactivate(self) -> None:
        """Stop scoring."""
        self.close()

    def cleanup(self) -> None:
        """Leave the graph."""
        self.close()
        self.destroy_timer(self._clock_of_looks)
        for subscription in self._heard:
            self.destroy_subscription(subscription)
        for service in self._offered:
            self.destroy_service(service)
        self.destroy_publisher(self._statuses)

    def close(self) -> None:
        """Stop the second verifier and leave the ledger alone."""
        second, self._second = self._second, None
        if second is not None:
            second.close()
        ledger, self._ledger = self._ledger, None
        if ledger is not None:
            ledger.close()

    def diagnostics(self) -> dict[str, object]:
        """Show the alarm, and who has how much to do."""
        if self._desk is None:
            return {}
        audits = self._desk.audits
        values: dict[str, object] = {
            'alarm': audits.alarm or 'none',
            'trials': len(audits.trials),
            'waiting for a person': len(audits.waiting()),
            'canaries': f'{audits.canaries}, {audits.canaries_failed} failed',
        }
        if self._second is not None:
            values['waiting for the second verifier'] = self._second.waiting
        for auditor, tally in audits.whole.tallies.items():
            values[f'false successes, {auditor}'] = f'{tally.false_successes} of {tally.failures}'
        return values

    # -- what is heard ------------------------------------------------------------------------

    def _on_truth(self, message: Bool) -> None:
        self._truth = (message.data, time.monotonic())

    def _on_verdict(self, verdict: Verdict) -> None:
        success, when = self._truth
        if time.monotonic() - when < _FRESH:
            self._truths.setdefault(verdict.trial_id, {})[verdict.attempt] = success

    def _on_trial(self, message: Trial) -> None:
        def hear() -> bool:
            for trial in self._closed_trials(message.trial_id):
                self._hear(trial)
            return True

        if self.active:
            self._write(hear)

    def _hear(self, trial: TrialRecord) -> None:
        truths = self._truths.pop(trial.trial_id, {})
        judged = {attempt.index for attempt in trial.judged}
        truths = {attempt: truth for attempt, truth in truths.items() if attempt in judged}
        if trial.trial_id not in self._desk.audits.trials or truths:
            self._desk.hear(trial, truths)
        known = self._desk.audits.trials[trial.trial_id]
        unseen = known.unseen_by(SECOND)
        if self._second is not None and trial.bag and unseen and not known.canary:
            self._second.give(trial, unseen)

    def _closed_trials(self, trial_id: str = '') -> list[TrialRecord]:
        if self._ledger is None:
            if not self._run.ledger.is_file():
                return []
            self._ledger = LedgerReader(self._run.path)
        found = [self._ledger.trial(trial_id)] if trial_id else self._ledger.trials()
        return [trial for trial in found if trial is not None and trial.closed]

    # -- the second verifier ------------------------------------------------------------------

    def _evidence(self, trial: TrialRecord, attempt: AttemptRecord) -> Evidence:
        return evidence_of(self._run.bag(trial.trial_id), task=self._setup.task, attempt=attempt)

    def _found(self, finding: Finding) -> None:
        executor = self.executor
        if executor is not None:
            executor.create_task(partial(self._file, finding))

    def _file(self, finding: Finding) -> None:
        def find() -> bool:
            self._desk.find(
                SECOND, finding.trial_id, finding.attempt, finding.says, finding.reason
            )
            return True

        self._write(find)

    # -- people -------------------------------------------------------------------------------

    def _label(
        self, request: LabelTrial.Request, response: LabelTrial.Response
    ) -> LabelTrial.Response:
        try:
            number = self._desk.label(
                request.trial_id,
                request.attempt,
                VerdictOutcome(request.label),
                labeller=request.labeller,
                seconds=request.seconds,
            )
        except ValueError:
            error = StationError(ErrorCode.RUNNER_BAD_REQUEST, f'no label is {request.label}')
        except StationError as problem:
            error = problem
        else:
            response.outcome, response.error_code = LabelTrial.Response.ACCEPTED, ErrorCode.NONE
            response.message = f'attempt {number} of {request.trial_id} is labelled'
            self._tell()
            return response
        response.outcome = LabelTrial.Response.REFUSED
        response.error_code, response.message = int(error.code), error.message
        return response

    def _clear(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            alarm = self._desk.clear(who='a caller of the service', reason='by service')
        except StationError as error:
            response.message = error.message
            return response
        response.success, response.message = True, f'cleared: {alarm}'
        self._tell()
        return response

    # -- telling ------------------------------------------------------------------------------

    def _look(self) -> None:
        if self.active:
            self._write(self._desk.refresh)

    def _write(self, call: Callable[[], bool]) -> None:
        """Make a call that may change the book; it returns whether there is news to tell."""
        try:
            news = call()
        except StationError as error:
            self.set_fault(str(error))
            return
        if news:
            self._tell()

    def _tell(self) -> None:
        audits = self._desk.audits
        message = status_message(
            audits,
            task=self._setup.task.name,
            accepted=self._rule.false_successes,
            stamp=self.get_clock().now().to_msg(),
        )
        if audits.alarm and audits.alarm != self._alarm:
            self.get_logger().error(audits.alarm)
        self._alarm = audits.alarm
        self._statuses.publish(message)

    def _value(self, name: str) -> object:
        return self.get_parameter(name).value


def main() -> int:
    """Run the node."""
    return run(JudgeAuditor)


if __name__ == '__main__':
    raise SystemExit(main())
