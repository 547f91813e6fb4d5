"""The node that runs a coding agent: action ``run_research``, topic ``research_status``."""

from __future__ import annotations

from pathlib import Path
import threading
import time
import traceback

from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from enpire_msgs.action import RunResearch
from enpire_msgs.msg import ResearchStatus, SafetyState, Utilization
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution import supervisor_messages as messages
from enpire_nodes.evolution.campaign.holds import ESTOP, PERSON
from enpire_nodes.evolution.research import Research
from enpire_nodes.evolution.robot import Robot
from enpire_nodes.evolution.supervisor_parameters import (
    campaign_settings,
    PARAMETERS,
    research_settings,
)
from enpire_nodes.evolution.view import Ended, ResearchView
from enpire_nodes.ros import qos
from enpire_nodes.ros.goals import GoalServer
from enpire_nodes.ros.main import run
from enpire_nodes.ros.node import StationNode

__all__ = ['PARAMETERS', 'AgentSupervisor', 'main']

_TICK = 0.2  # s between two looks at the agent
_IDLE = 0.1  # s between two looks for work, when there was none
_REPORT = 1.0  # s between two reports
_DRAW = 20.0  # s between two pictures of the idea tree, at the least
_LAST = 900.0  # s for the trial that is under way when a campaign ends
_TROUBLE = 120.0  # s of trouble with hub or journal after which a campaign is left


class AgentSupervisor(StationNode):
    """Carries messages; what happens is :class:`~enpire_nodes.evolution.research.Research`.

    Two threads work beside the one that spins: one asks the robot for trials, the other looks
    after the agent. A campaign that was under way when the node died goes on by itself.
    """

    def __init__(self, **arguments: object) -> None:
        super().__init__('agent_supervisor', parameters=PARAMETERS, **arguments)
        self._research: Research | None = None
        self._view: ResearchView | None = None
        self._preparing = False
        self._stopping = threading.Event()
        self._workers: list[threading.Thread] = []
        self._robot: Robot | None = None
        self._spent: Utilization | None = None
        self._estopped = False
        self._pausing = ''
        self._drawn = (-float('inf'), -1)

    # -- lifecycle ----------------------------------------------------------------------------

    def configure(self) -> None:
        """Find the robot, and offer the action."""
        directory = self._value('run_directory')
        if not directory:
            raise StationError(
                ErrorCode.SUPERVISOR_BAD_REQUEST,
                "run_directory is empty: set it to the trial runner's, whose trials to ask for",
            )
        self._run = Path(directory).absolute()
        self._robot = Robot(self)
        self._statuses = self.create_publisher(ResearchStatus, 'research_status', qos.LATCHED)
        self._utilizations = self.create_publisher(Utilization, 'utilization', qos.LATCHED)
        self._trees = self.create_publisher(Image, 'idea_tree', qos.LATCHED)
        self._heard = (
            self.create_subscription(
                Utilization, 'robot_utilization', self._on_utilization, qos.LATCHED
            ),
            self.create_subscription(SafetyState, 'safety_state', self._on_safety, qos.LATCHED),
        )
        self._offered = (
            self.create_service(Trigger, '~/pause', self._pause),
            self.create_service(Trigger, '~/resume', self._resume),
        )
        self._goals = GoalServer(
            self, RunResearch, 'run_research', accept=self._accept, start=self._start
        )
        self._clocks = (self.create_steady_timer(_REPORT, self._report),)

    def activate(self) -> None:
        """Go on with a campaign that was under way."""
        self._stopping.clear()
        if Research.under_way(self._run):
            self.get_logger().info('a campaign was under way; going on with it')
            self._employ(None)

    def deactivate(self) -> None:
        """Stop the agent and ask for no more trials; the campaign can be gone on with."""
        self.close()

    def cleanup(self) -> None:
        """Leave the graph."""
        self.close()
        for timer in self._clocks:
            self.destroy_timer(timer)
        self._goals.destroy()
        self._robot.destroy()
        for subscription in self._heard:
            self.destroy_subscription(subscription)
        for service in self._offered:
            self.destroy_service(service)
        for publisher in (self._statuses, self._utilizations, self._trees):
            self.destroy_publisher(publisher)

    def close(self) -> None:
        """Stop the agent and every thread; what was begun is in the journal."""
        self._stopping.set()
        if self._robot is not None:
            self._robot.close()
        for worker in self._workers:
            worker.join(timeout=10.0)
        self._workers = []

    def diagnostics(self) -> dict[str, object]:
        """Show where the campaign stands, and what it costs."""
        return messages.diagnostics(self._view)

    # -- the goal -----------------------------------------------------------------------------

    def _accept(self, goal: RunResearch.Goal) -> str:
        if not self.active:
            return 'the node is not active'
        # a campaign that is gone on with has no name yet to compare with; a client asks again
        return 'a campaign is being prepared' if self._preparing else ''

    def _start(self, goal: RunResearch.Goal) -> None:
        wrong = messages.contradiction(goal)
        research = self._research
        if research is not None and not wrong:
            campaign = research.campaign_name
            if goal.campaign == campaign:
                self.set_busy(True)
                return  # it is under way: the client gets its feedback and its result
            wrong = f'the campaign {campaign!r} is under way; give its name to follow it'
        if wrong:
            self._finish(Ended('STOPPED', ErrorCode.SUPERVISOR_BAD_REQUEST, wrong))
            return
        self.set_busy(True)
        self._employ(goal)

    def _employ(self, goal: RunResearch.Goal | None) -> None:
        """Begin or go on, in a thread: a hub is made, a clone, three sockets, and a process."""
        self._preparing = True
        worker = threading.Thread(target=self._look_after, args=(goal,), name='agent')
        self._workers = [w for w in self._workers if w.is_alive()]
        self._workers.append(worker)
        worker.start()

    # -- the thread that looks after the agent ------------------------------------------------

    def _look_after(self, goal: RunResearch.Goal | None) -> None:
        view = None
        try:
            with Research(
                self._run,
                station=self.get_namespace().strip('/') or 'station',
                task=self._value('task'),
                station_file=self._value('station_file'),
                seed=self._value('seed'),
                settings=research_settings(self),
                campaign_settings=campaign_settings(self),
                log=lambda words: self._post(lambda: self.get_logger().info(words)),
            ) as research:
                research.begin(None if goal is None else messages.asked(goal))
                self._research, self._preparing = research, False
                if self._estopped:
                    research.hold(ESTOP, 'the emergency stop is latched')
                robot = threading.Thread(target=self._ask_robot, args=(research,), name='robot')
                self._workers.append(robot)
                robot.start()
                ended = self._watch(research)
                robot.join(timeout=_LAST)
                if ended is not None:
                    ended = research.conclude(ended)
                    view = research.view()
        except Exception as error:  # noqa: BLE001 - whoever waits for the result gets one
            ended = self._defect(error)
        finally:
            self._research, self._view, self._preparing = None, None, False
        if ended is not None:
            self._post(lambda: self._finish(ended, view))

    def _watch(self, research: Research) -> Ended | None:
        fine = viewed = time.monotonic()
        while not self._stopping.is_set():
            if self._goals.cancel_requested:
                research.cancel()
            if self._pausing:
                research.hold(PERSON, self._pausing)
            try:
                ended = research.tick()
                fine = time.monotonic()
            except StationError as error:
                # a lock in the hub, a full disk: what was left undone is done when it is over
                if time.monotonic() - fine > _TROUBLE:
                    raise
                self._post(lambda words=str(error): self.get_logger().error(words))
                research.hold_station(str(error))
                ended = None
                self._stopping.wait(_REPORT)
            if ended is not None:
                return ended
            if self._view is None or time.monotonic() - viewed > _REPORT:
                self._view, viewed = research.view(), time.monotonic()
            self._draw(research)
            self._stopping.wait(_TICK)
        return None

    def _ask_robot(self, research: Research) -> None:
        while not self._stopping.is_set() and not research.over:
            try:
                piece = research.campaign.next_slice()
                if piece is None:
                    with research.campaign.changed:
                        research.campaign.changed.wait(_IDLE)
                    continue
                research.campaign.slice_ended(piece, *self._robot.run(piece))
            except StationError as error:
                self._post(lambda words=str(error): self.get_logger().error(words))
                research.hold_station(str(error))
            except Exception:  # noqa: BLE001 - the thread must outlive what it meets
                words = traceback.format_exc()
                self._post(lambda words=words: self.get_logger().error(words))
                research.hold_station(words.splitlines()[-1])

    def _draw(self, research: Research) -> None:
        drawn, size = self._drawn
        if time.monotonic() - drawn < _DRAW or research.ideas == size:
            return
        self._drawn = (time.monotonic(), research.ideas)
        picture = research.tree_picture()
        if picture is not None:
            self._post(lambda: self._trees.publish(messages.image(picture, self._stamp())))

    def _defect(self, error: Exception) -> Ended:
        if isinstance(error, StationError):
            return Ended('STOPPED', error.code, error.message)
        words = f'{type(error).__name__}: {error}; see the log of {self.get_name()}'
        trace = traceback.format_exc()
        self._post(lambda: self.get_logger().error(trace))
        return Ended('STOPPED', ErrorCode.SUPERVISOR_INTERNAL, words)

    # -- the spinning thread ------------------------------------------------------------------

    def _post(self, call: object) -> None:
        executor = self.executor
        if executor is not None:
            executor.create_task(call)

    def _finish(self, ended: Ended, view: ResearchView | None = None) -> None:
        words = f'research {ended.outcome.lower()}: {ended.message}'
        if ended.outcome == 'STOPPED':
            self.get_logger().error(words)
        else:
            self.get_logger().info(words)
        self.set_busy(False)
        self._goals.finish(
            messages.result(ended), succeeded=ended.outcome in ('CERTIFIED', 'BUDGET_USED')
        )
        if view is not None:
            self._statuses.publish(messages.status(view, self._stamp()))

    def _report(self) -> None:
        view = self._view  # made in the other thread: this one waits for no hub and no disk
        if view is None:
            if self._spent is not None:
                self._utilizations.publish(self._spent)
            return
        status = messages.status(view, self._stamp())
        self._statuses.publish(status)
        self._goals.feedback(status=status)
        if self._spent is not None:
            self._utilizations.publish(messages.utilization(self._spent, view))

    def _on_utilization(self, message: Utilization) -> None:
        self._spent = message

    def _on_safety(self, message: SafetyState) -> None:
        estopped = message.mode == SafetyState.ESTOPPED
        research = self._research
        if estopped and not self._estopped and research is not None:
            research.hold(ESTOP, f'{message.message}; rearm the gate, then call ~/resume')
        self._estopped = estopped

    def _pause(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        research = self._research
        response.success = research is not None
        response.message = 'paused; ~/resume goes on' if research else 'no campaign is under way'
        self._pausing = 'by a person' if research else ''
        return response

    def _resume(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        research = self._research
        if research is None:
            response.message = 'no campaign is under way'
        elif self._estopped:
            response.message = 'the emergency stop is latched; call ~/rearm of safety_gate first'
        else:
            self._pausing = ''
            research.release()
            response.success, response.message = True, 'going on'
        return response

    def _stamp(self) -> object:
        return self.get_clock().now().to_msg()

    def _value(self, name: str) -> object:
        return self.get_parameter(name).value


def main() -> int:
    """Run the node."""
    return run(AgentSupervisor)


if __name__ == '__main__':
    raise SystemExit(main())
