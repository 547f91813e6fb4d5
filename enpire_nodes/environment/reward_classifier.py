"""The node that decides success from fresh pictures and force.

Services ``judge`` (what the cameras see now) and ``judge_evidence`` (what was stored).
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
import time

from builtin_interfaces.msg import Time
import numpy as np

from enpire_msgs.msg import Verdict, Vote
from enpire_msgs.srv import Judge, JudgeEvidence
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import ArmState, Frame
from enpire_nodes.environment.context import load_context, TASK_PARAMETERS
from enpire_nodes.environment.contract.identity import settings_digest
from enpire_nodes.environment.judging import JudgeRequest
from enpire_nodes.environment.stored import judge_file
from enpire_nodes.environment.witness import Witness
from enpire_nodes.ros import convert, qos
from enpire_nodes.ros.main import run
from enpire_nodes.ros.node import StationNode
from enpire_nodes.ros.parameters import ParameterSpec
from enpire_nodes.ros.station_io import StationSenses
from enpire_nodes.tasks.api import Judgement

#: s of the wall clock after which a request is decided although the station's clock stands still.
WALL_PATIENCE = 20.0

PARAMETERS = (
    *TASK_PARAMETERS,
    ParameterSpec(
        'timeout',
        3.0,
        's of the station clock to wait for fresh pictures when the request names no time-out.',
        minimum=0.1,
        maximum=60.0,
    ),
    ParameterSpec(
        'min_frames',
        0,
        'Fresh frames of each camera that a verdict needs at least; 0 takes the task settings.',
        minimum=0,
        maximum=100,
    ),
)


class RewardClassifier(StationNode):
    """Collects pictures and forces, and answers one request at a time."""

    def __init__(self, **arguments: object) -> None:
        super().__init__('reward_classifier', parameters=PARAMETERS, **arguments)
        self._witness = Witness(self)
        self._request: JudgeRequest | None = None
        self._verdict: Verdict | None = None
        self._latencies: deque[float] = deque(maxlen=1000)
        self._counts = dict.fromkeys(('SUCCESS', 'FAILURE', 'UNCERTAIN'), 0)

    def configure(self) -> None:
        """Load the task's judge, listen, and offer the service."""
        context = load_context(self, otherwise=ErrorCode.REWARD_INTERNAL)
        self._witness.tell(settings_digest(context.task, context.cameras))
        self._arm = context.task.arm
        self._make_verifier = context.verifier
        self._verifier = self._make_verifier()
        self._senses = StationSenses(
            self,
            arms=(self._arm,),
            cameras=context.task.cameras,
            on_state=self._on_state,
            on_frame=self._on_frame,
        )
        self._verdicts = self.create_publisher(Verdict, 'verdict', qos.LATCHED)
        self._services_of_judge = (
            self.create_service(Judge, 'judge', self._judge),
            self.create_service(JudgeEvidence, 'judge_evidence', self._judge_stored),
        )

    def deactivate(self) -> None:
        """Forget the request under way; its caller asks again or gives up at its deadline."""
        self._request = None
        self.set_busy(False)

    def cleanup(self) -> None:
        """Take the service away and stop listening."""
        for service in self._services_of_judge:
            self.destroy_service(service)
        self.destroy_publisher(self._verdicts)
        self._senses.destroy()

    def diagnostics(self) -> dict[str, object]:
        """Count the verdicts and show how fast they were."""
        values: dict[str, object] = dict(self._counts)
        if self._latencies:
            low, high = np.percentile(self._latencies, [50, 99]) * 1e3
            values |= {'latency_p50_ms': f'{low:.1f}', 'latency_p99_ms': f'{high:.1f}'}
        return values

    def _on_state(self, arm: str, state: ArmState) -> None:
        self._verifier.add_arm_state(state)

    def _on_frame(self, name: str, frame: Frame) -> None:
        started = time.perf_counter()
        self._verifier.add_frame(name, frame)
        self._decide_if_due(started)

    def _judge(self, request: Judge.Request, response: Judge.Response) -> Judge.Response:
        if not self.active:
            response.outcome = Judge.Response.REFUSED
            response.error_code = ErrorCode.REWARD_INTERNAL
            response.message = 'the reward classifier is not active'
            return response
        settled = convert.seconds(request.settled)
        if self._request is None or not self._request.is_for(
            request.trial_id, request.attempt, settled
        ):
            self._begin(request, settled)
        self._decide_if_due(time.perf_counter())
        if self._request.judgement is None:
            response.outcome = Judge.Response.WAITING
            response.message = 'waiting for fresh pictures'
            return response
        response.outcome = Judge.Response.DECIDED
        response.verdict = self._verdict
        response.error_code = self._verdict.error_code
        response.message = self._verdict.message
        return response

    def _judge_stored(
        self, request: JudgeEvidence.Request, response: JudgeEvidence.Response
    ) -> JudgeEvidence.Response:
        try:
            if not self.active:
                raise StationError(
                    ErrorCode.REWARD_INTERNAL, 'the reward classifier is not active'
                )
            judgement = judge_file(Path(request.path), request.digest, self._make_verifier)
        except StationError as error:
            response.outcome = JudgeEvidence.Response.REFUSED
            response.error_code, response.message = int(error.code), error.message
            return response
        response.outcome = JudgeEvidence.Response.DECIDED
        response.verdict = _verdict_message(
            '', 0, judgement, self._verifier.digest, self.get_clock().now().to_msg()
        )
        response.error_code = response.verdict.error_code
        response.message = response.verdict.message
        return response

    def _begin(self, request: Judge.Request, settled: float) -> None:
        timeout = convert.seconds(request.timeout) or self.get_parameter('timeout').value
        self._request = JudgeRequest(
            trial_id=request.trial_id,
            attempt=request.attempt,
            settle_start=convert.seconds(request.settle_start),
            settled=settled,
            min_frames=request.min_frames or self.get_parameter('min_frames').value,
            deadline=self._now() + timeout,
            wall_deadline=time.monotonic() + WALL_PATIENCE,
        )
        self.set_busy(True)

    def _decide_if_due(self, started: float) -> None:
        request = self._request
        if request is None or not request.decide_if_due(
            self._verifier, now=self._now(), wall=time.monotonic()
        ):
            return
        self._latencies.append(time.perf_counter() - started)
        self._verdict = _verdict_message(
            request.trial_id,
            request.attempt,
            request.judgement,
            self._verifier.digest,
            self.get_clock().now().to_msg(),
        )
        self._counts[self._verdict.outcome_name] += 1
        self._verdicts.publish(self._verdict)
        self.set_busy(False)

    def _now(self) -> float:
        return self.get_clock().now().nanoseconds * 1e-9


def _verdict_message(
    trial_id: str, attempt: int, judgement: Judgement, digest: str, stamp: Time
) -> Verdict:
    message = Verdict(
        trial_id=trial_id,
        attempt=attempt,
        outcome=int(judgement.outcome),
        outcome_name=judgement.outcome.name,
        score=float(judgement.score),
        latency=float(judgement.latency),
        error_code=int(judgement.error_code),
        message=judgement.message,
        digest=digest,
        votes=[
            Vote(
                source=vote.source,
                verdict=int(vote.verdict),
                score=float(vote.score),
                samples=vote.samples,
                age=float(vote.age),
                reason=vote.reason,
            )
            for vote in judgement.votes
        ],
    )
    message.header.stamp = stamp
    return message


def main() -> int:
    """Run the node."""
    return run(RewardClassifier)


if __name__ == '__main__':
    raise SystemExit(main())
