"""More verdicts on a scene that stays as it is, to measure how fast they are."""

from __future__ import annotations

import time

from enpire_msgs.srv import Judge
from enpire_nodes.benchmark.calling import Caller, CallFailedError
from enpire_nodes.rollout.messages import nanoseconds, time_message

TRIAL = 'bench-look'  # in place of a trial's identifier
_FORCE_NS = 1_000_000_000  # before now, in which the judge finds forces to feel
_EACH = 10.0  # s
_POLL = 0.02  # s, as the trial runner polls


def look_again(caller: Caller, count: int) -> dict[tuple[str, int], int]:
    """Have the last scene judged anew, ``count`` times, each time by pictures from then on.

    :return: for each trial and attempt of a verdict, from when on its pictures count (ns of the
        station's clock).
    :raises CallFailedError: the judge is not there, or does not decide.
    """
    client = caller.node.create_client(Judge, 'judge')
    try:
        if not client.wait_for_service(timeout_sec=_EACH):
            raise CallFailedError(f'nobody offers {caller.namespace}/judge')
        asked = {}
        for number in range(1, count + 1):
            now = nanoseconds(caller.node.get_clock().now().to_msg())
            request = Judge.Request(
                trial_id=TRIAL,
                attempt=number,
                settle_start=time_message(now - _FORCE_NS),
                settled=time_message(now),
            )
            _decide(caller, client, request)
            asked[TRIAL, number] = now
        return asked
    finally:
        caller.node.destroy_client(client)


def _decide(caller: Caller, client: object, request: Judge.Request) -> None:
    deadline = time.monotonic() + _EACH
    while True:
        answer = caller.wait(client.call_async(request), deadline, 'the judge did not answer')
        if answer.outcome == Judge.Response.DECIDED:
            return
        if answer.outcome != Judge.Response.WAITING or time.monotonic() > deadline:
            raise CallFailedError(f'{caller.namespace}/judge: {answer.message}')
        time.sleep(_POLL)
