"""The trial recorder: one bag a trial, known to receive before anything moves, checked after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import time

from enpire_msgs.msg import TopicCount
from enpire_msgs.srv import StartRecording, StopRecording
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.recorder_parameters import PARAMETERS
from enpire_nodes.rollout.recording.outcome import problem_of
from enpire_nodes.rollout.recording.session import Closed, Recording
from enpire_nodes.rollout.recording.taps import Tap, Taps
from enpire_nodes.rollout.recording.writer import BagSettings
from enpire_nodes.ros.convert import seconds
from enpire_nodes.ros.main import run
from enpire_nodes.ros.node import StationNode

# While a recording is starting, publishers are looked for this often; s.
_STARTING_DISCOVERY_PERIOD = 0.1
# A message this old still shows that its topic is arriving, and begins the bag; s.
_FRESH = 0.15
# What the judge saw may still be on its way: a recording that is told to end goes on for this
# long, or until nothing comes for a moment; s.
_DRAIN = 0.02
_QUIET = 0.01
# A disk that takes longer to flush a bag is reported; s.
_CLOSE_TIMEOUT = 20.0


@dataclass(slots=True)
class Session:
    """The recording of one trial.

    :param required: patterns of the topics that must deliver.
    :param deadline: by the monotonic clock, for them to do so.
    :param channels: index of each recorded topic in the recording.
    :param lost_before: what the middleware had lost when it began.
    :param stop_at: by the monotonic clock, when a recording that is to end takes no more; 0
        before.
    """

    trial_id: str
    recording: Recording
    required: Sequence[str]
    deadline: float
    channels: dict[str, int]
    lost_before: dict[str, int]
    started: bool = False
    stop_at: float = 0.0

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end."""
        return self.stop_at > 0.0


class TrialRecorder(StationNode):
    """Serves ``recorder/start`` and ``recorder/stop``; both answer at once and are polled."""

    def __init__(self, **arguments: object) -> None:
        super().__init__('trial_recorder', parameters=PARAMETERS, **arguments)
        self._session: Session | None = None
        self._last: tuple[str, StopRecording.Response] | None = None
        self._taps: Taps | None = None
        self._looked = self._heard = 0.0
        self._owned: list = []

    def configure(self) -> None:
        """Offer the services and begin to listen."""
        self._taps = Taps(self, self.get_parameter('topics').value, self._receive)
        period = self.get_parameter('discovery_period').value
        self._owned = [
            (
                self.destroy_service,
                self.create_service(StartRecording, 'recorder/start', self._start),
            ),
            (
                self.destroy_service,
                self.create_service(StopRecording, 'recorder/stop', self._stop),
            ),
            (self.destroy_timer, self.create_steady_timer(period, self._discover)),
            (self.destroy_timer, self.create_steady_timer(0.05, self._watch)),
        ]
        self._discover()

    def deactivate(self) -> None:
        """Close the bag under way."""
        if self._session is not None:
            self._session.recording.join(_CLOSE_TIMEOUT)
            self._watch()

    def cleanup(self) -> None:
        """Stop to listen."""
        for destroy, item in self._owned:
            destroy(item)
        self._owned = []
        if self._taps is not None:
            self._taps.close()
            self._taps = None

    def close(self) -> None:
        """Close the bag under way before the process ends."""
        self.deactivate()

    def diagnostics(self) -> dict[str, object]:
        """Return what is recorded, and what was lost."""
        taps = self._taps.taps if self._taps is not None else {}
        session = self._session
        values = {
            'topics': len(taps),
            'received': sum(tap.received for tap in taps.values()),
            'lost': sum(tap.lost for tap in taps.values()),
            'trial': session.trial_id if session else '',
        }
        if session is not None:
            values['recorded'] = sum(session.recording.written().values())
        return values

    # -- messages -----------------------------------------------------------------------------

    def _receive(self, tap: Tap, data: bytes) -> None:
        session, self._heard = self._session, time.monotonic()
        if session is not None:
            channel = session.channels.get(tap.topic.name)
            if channel is not None:
                session.recording.put(channel, data, self.get_clock().now().nanoseconds)

    def _discover(self) -> None:
        if self._taps is None:
            return
        self._looked = time.monotonic()
        new = self._taps.refresh()
        if self._session is not None:
            for tap in new:
                self._add(self._session, tap)

    def _add(self, session: Session, tap: Tap) -> None:
        try:
            index = session.recording.add_topic(tap.topic)
        except StationError as error:
            self.get_logger().warning(f'{tap.topic.name} is not recorded: {error.message}')
            return
        session.channels[tap.topic.name] = index
        session.lost_before[tap.topic.name] = tap.lost
        fresh = tap.latched or time.monotonic() - tap.last_at < _FRESH
        if tap.last is not None and fresh:
            session.recording.put(index, tap.last, self.get_clock().now().nanoseconds)

    # -- starting -----------------------------------------------------------------------------

    def _start(
        self, request: StartRecording.Request, response: StartRecording.Response
    ) -> StartRecording.Response:
        try:
            response.outcome, response.message = self._started(request)
            response.error_code = ErrorCode.NONE.value
        except StationError as error:
            response.outcome = StartRecording.Response.REFUSED
            response.error_code = error.code.value
            response.message = error.message
        return response

    def _started(self, request: StartRecording.Request) -> tuple[int, str]:
        session = self._session or self._open(request)
        if session.trial_id != request.trial_id or session.stopping:
            raise StationError(
                ErrorCode.RECORDER_BUSY,
                f'trial {session.trial_id} is being recorded: stop that recording first',
            )
        if (closed := session.recording.closed) is not None:
            self._session = None
            self.set_busy(False)
            raise closed.error or StationError(
                ErrorCode.RECORDER_INTERNAL, 'the recording ended by itself; see the log'
            )
        if time.monotonic() - self._looked > _STARTING_DISCOVERY_PERIOD:
            self._discover()
        missing = self._missing(session)
        if not missing:
            session.started = True
        if session.started:
            return StartRecording.Response.RECORDING, ''
        waiting = f'nothing came yet on {", ".join(missing)}'
        if time.monotonic() < session.deadline:
            return StartRecording.Response.STARTING, waiting
        self._session = None
        self.set_busy(False)
        session.recording.discard()
        raise StationError(
            ErrorCode.RECORDER_TOPIC_MISSING,
            f'{waiting}: check that its node is active, or take it off the required topics',
        )

    def _open(self, request: StartRecording.Request) -> Session:
        if not self.active:
            raise StationError(
                ErrorCode.RECORDER_NOT_RECORDING, 'the recorder is not active: activate it first'
            )
        directory = Path(request.bag)
        run_directory = self.get_parameter('run_directory').value
        if not directory.is_absolute() and run_directory:
            directory = Path(run_directory).absolute() / directory
        if not request.trial_id or not directory.is_absolute():
            raise StationError(
                ErrorCode.RECORDER_WRITE_FAILED,
                f'trial {request.trial_id!r} with bag {request.bag!r}: name both, the bag by its '
                'absolute path or below the parameter run_directory',
            )
        value = self._value
        recording = Recording(
            directory,
            settings=BagSettings(
                compression=value('compression'), chunk_size=value('chunk_size_kb') * 1024
            ),
            custom_data={
                'trial_id': request.trial_id,
                'station': self.get_namespace().strip('/'),
            },
            queue_size=int(value('queue_mb') * 1e6),
            minimum_free=int(value('minimum_free_mb') * 1e6),
        )
        timeout = seconds(request.timeout) or value('start_timeout')
        session = Session(
            trial_id=request.trial_id,
            recording=recording,
            required=list(request.required_topics) or value('required_topics'),
            deadline=time.monotonic() + timeout,
            channels={},
            lost_before={},
        )
        for tap in self._taps.taps.values():
            self._add(session, tap)
        self._session = session
        self._last = None
        self.set_busy(True)
        return session

    def _value(self, name: str) -> object:
        return self.get_parameter(name).value

    def _missing(self, session: Session) -> list[str]:
        """Return required patterns without a publisher, and topics without a message, in words."""
        accepted = session.recording.accepted()
        missing = []
        for pattern in session.required:
            names = self._taps.matching(pattern)
            if not names:
                missing.append(f'{pattern} (nobody publishes it)')
            missing.extend(name for name in names if not accepted.get(name))
        return missing

    # -- stopping -----------------------------------------------------------------------------

    def _stop(
        self, request: StopRecording.Request, response: StopRecording.Response
    ) -> StopRecording.Response:
        session = self._session
        if session is not None and session.trial_id == request.trial_id:
            session.stop_at = session.stop_at or time.monotonic() + _DRAIN
            self._watch()
        if self._last is not None and self._last[0] == request.trial_id:
            return self._last[1]
        if self._session is not None and self._session.trial_id == request.trial_id:
            response.outcome = StopRecording.Response.CLOSING
            response.error_code = ErrorCode.NONE.value
            return response
        response.outcome = StopRecording.Response.REFUSED
        response.error_code = ErrorCode.RECORDER_NOT_RECORDING.value
        busy = f'; {session.trial_id} is being recorded' if session else ''
        response.message = f'trial {request.trial_id} is not being recorded{busy}'
        return response

    def _watch(self) -> None:
        """End a recording that is to end, and take note of one that has closed."""
        session = self._session
        if session is None:
            return
        if session.stopping:
            now = time.monotonic()
            if now >= session.stop_at or now - self._heard >= _QUIET:
                session.recording.stop()
        if session.recording.closed is None:
            return
        if not session.started and not session.stopping:
            return  # the client that waits for its start is told why
        self._last = (session.trial_id, self._answer(session, session.recording.closed))
        self._session = None
        self.set_busy(False)

    def _answer(self, session: Session, closed: Closed) -> StopRecording.Response:
        response = StopRecording.Response()
        required = {name for item in session.required for name in self._taps.matching(item)}
        problem = problem_of(closed, required, self._lost(session))
        if closed.report is None:
            response.outcome = StopRecording.Response.BROKEN
        else:
            response.outcome = (
                StopRecording.Response.INCOMPLETE if problem else StopRecording.Response.CLOSED
            )
            response.bytes = closed.report.size
            response.digest = closed.report.digest
            response.topics = [
                TopicCount(
                    topic=name,
                    type=closed.report.types[name],
                    messages=count,
                    required=name in required,
                )
                for name, count in sorted(closed.report.counts.items())
            ]
        response.error_code = (problem.code if problem else ErrorCode.NONE).value
        response.message = problem.message if problem else ''
        if problem:
            self.get_logger().warning(f'bag of trial {session.trial_id}: {problem}')
        return response

    def _lost(self, session: Session) -> dict[str, int]:
        """Return what the middleware lost of each topic since the recording began."""
        taps = self._taps.taps
        return {
            name: taps[name].lost - before
            for name, before in session.lost_before.items()
            if name in taps
        }


def main() -> int:
    """Run the node."""
    return run(TrialRecorder)


if __name__ == '__main__':
    raise SystemExit(main())
