"""What must hold of every agent; each raises AssertionError."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import json
import os
from pathlib import Path
import signal

import psutil
from scripted_model import Step

from agents_night import scripts
from agents_night.night import a_night
from agents_night.place import KEY, Place, wait_for
from agents_night.processes import agent_of
from enpire_nodes.evolution.agents.interface import Adapter, AgentEvent, EventKind
from enpire_nodes.evolution.agents.keeper import AgentKeeper, KeeperSettings, KeeperState
from enpire_nodes.evolution.agents.watchdog import Activity
from enpire_nodes.evolution.records import Tokens

Check = Callable[[Adapter, Path], str]


def an_idea(adapter: Adapter, folder: Path) -> str:
    """Play a turn to its end; every token of it must be counted."""
    events: list[AgentEvent] = []
    with Place(folder, adapter, scripts.idea()) as place:
        life = place.make()(place.task(), events.append)
        life.start()
        wait_for(lambda: life.poll() is not None, 'the end of the turn')
        wait_for(lambda: place.proxy.in_flight == 0, 'the end of the calls')
    said = life.describe()
    assert life.poll() == 0, said
    subject = place.git('log', '-1', '--format=%s')
    assert subject == 'A wider spiral finds the hole sooner', subject
    assert place.metered == place.model.truth, (place.metered, place.model.truth)
    assert set(range(5)) <= set(place.model.steps()), place.model.steps()
    ended = [event for event in events if event.kind is EventKind.TURN_ENDED]
    assert ended, events
    assert ended[-1].ok, events
    assert any(event.kind is EventKind.SESSION for event in events), events
    starts = {event.call for event in events if event.kind is EventKind.TOOL_STARTED}
    ends = {event.call for event in events if event.kind is EventKind.TOOL_ENDED}
    assert starts, events
    assert starts == ends, (starts, ends)
    its_own = sum((e.tokens for e in events if e.kind is EventKind.USAGE), Tokens())
    if its_own != Tokens():
        asides = sum((a.tokens for a in place.model.asked if a.step < 0 and a.tokens), Tokens())
        assert its_own + asides == place.metered, (its_own, asides, place.metered)
    for asked in place.model.asked:
        assert KEY in str(asked.headers), 'the model did not get the key'
    assert KEY not in place.log.read_text(), 'the agent got the key'
    return f'{len(place.calls)} calls, {place.metered.total} tokens, to the last one'


def a_budget(adapter: Adapter, folder: Path) -> str:
    """Use the budget up: the agent must end by itself, after few more requests."""
    events: list[AgentEvent] = []
    with Place(folder, adapter, scripts.endless(), most_calls=3) as place:
        life = place.make()(place.task(), events.append)
        life.start()
        wait_for(lambda: life.poll() is not None, 'the end when the budget was used')
    refused = [call for call in place.calls if call.status == 402]
    # Kimi Code says by ACP that its turn ended well even then: what an agent says is not believed
    well = any(event.kind is EventKind.TURN_ENDED and event.ok for event in events)
    assert 1 <= len(refused) <= 6, len(refused)
    assert place.metered == place.model.truth, (place.metered, place.model.truth)
    said = 'as if all were well' if well else life.describe()[:100]
    return f'{len(refused)} refused requests, then ended: {said}'


def a_kill(adapter: Adapter, folder: Path) -> str:
    """Kill it at work: it leaves nobody behind, and the keeper goes on with what was said."""
    saved: list[str] = []
    with Place(folder, adapter, scripts.interrupted()) as place:
        keeper = _keeper(place, saved)
        sign = place.clone / 'long-command-runs'
        sleeper = _Sleeper(place.clone)
        try:
            _tick_until(keeper, lambda: sign.exists() and bool(sleeper.find()), 'the command')
            pid = keeper.pid
            place.model.script = scripts.numbered([Step(say='I know where we were.')])
            os.kill(agent_of(pid), signal.SIGKILL)
            _tick_until(keeper, lambda: keeper.lives == 2, 'the second life')
            assert not sleeper.find(pid), 'the killed agent left a command behind'
            _tick_until(keeper, lambda: keeper.lives >= 3, 'the end of the second life')
        finally:
            keeper.stop()
        _asked_again(place)
        place.model.script = scripts.numbered([Step(say='I still know.')])
        place.model.asked[-1].body.clear()  # what was asked before proves nothing
        successor = _keeper(place, saved, session=saved[-1])
        try:
            _tick_until(successor, lambda: successor.lives == 2, 'the life by a new supervisor')
        finally:
            successor.stop()
        _asked_again(place)
    assert keeper.state is KeeperState.STOPPED
    assert len({session for session in saved if session}) == 1, saved
    assert place.metered == place.model.truth, (place.metered, place.model.truth)
    return f'went on with the conversation, and so did a new keeper; {keeper.lives} lives'


def a_trouble(adapter: Adapter, folder: Path) -> str:
    """Let the model be overloaded for two requests: the agent must ask again."""
    with Place(folder, adapter, scripts.troubled()) as place:
        life = place.make()(place.task(), lambda event: None)
        life.start()
        wait_for(lambda: life.poll() is not None, 'the end of the turn')
        wait_for(lambda: place.proxy.in_flight == 0, 'the end of the calls')
    assert life.poll() == 0, life.describe()
    failed = [call for call in place.calls if call.status == 503]
    assert len(failed) == 2, [call.status for call in place.calls]
    assert place.metered == place.model.truth, (place.metered, place.model.truth)
    return f'{len(place.calls)} calls, 2 of which failed'


def a_pause(adapter: Adapter, folder: Path) -> str:
    """Hold it while the model thinks and while it works: it must go on as if nothing was."""
    with Place(folder, adapter, scripts.slow()) as place:
        life = place.make()(place.task(), lambda event: None)
        life.start()
        wait_for(lambda: place.proxy.in_flight > 0, 'the first request')
        life.pause()
        wait_for(lambda: place.proxy.in_flight == 0, 'the answer that nobody reads yet')
        life.resume()
        wait_for((place.clone / 'works').exists, 'the command')
        life.pause()
        wait_for(lambda: _all_stopped(life.pid), 'all of it being held')
        life.resume()
        wait_for(lambda: life.poll() is not None, 'the end of the turn')
        wait_for(lambda: place.proxy.in_flight == 0, 'the end of the calls')
    assert life.poll() == 0, life.describe()
    assert place.metered == place.model.truth, (place.metered, place.model.truth)
    return 'went on twice'


def _asked_again(place: Place) -> None:
    text = json.dumps(place.model.asked[-1].body)
    assert scripts.REMEMBERED in text, 'it does not know what it did before'
    assert 'job 7: 18 of 20' in text, 'it was not told the facts'


def _all_stopped(pid: int) -> bool:
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return all(process.status() == psutil.STATUS_STOPPED for process in processes)


def _keeper(place: Place, saved: list[str], session: str = '') -> AgentKeeper:
    return AgentKeeper(
        place.adapter,
        replace(place.task(), session=session),
        make=place.make(),
        facts=lambda: 'job 7: 18 of 20 trials succeeded',
        activity=lambda: Activity(place.proxy.in_flight, progress=len(place.calls)),
        note=lambda words: None,
        save_session=saved.append,
        settings=KeeperSettings(delay=0.1),
    )


def _tick_until(keeper: AgentKeeper, condition: Callable[[], bool], what: str) -> None:
    def tick() -> bool:
        keeper.tick()
        if keeper.error is not None:
            raise AssertionError(f'{what}: {keeper.error}')
        return condition()

    wait_for(tick, what)


class _Sleeper:
    """The command that the script leaves running, found from outside of the sandbox."""

    def __init__(self, workdir: Path) -> None:
        self._workdir = str(workdir)

    def find(self, below: int = 0) -> list[int]:
        found = []
        for process in psutil.process_iter(['name', 'cmdline']):
            try:
                if process.info['name'] == 'sleep' and process.cwd() == self._workdir:
                    ancestors = {p.pid for p in process.parents()}
                    if not below or below in ancestors or not ancestors - {1}:
                        found.append(process.pid)
            except psutil.Error:
                continue
        return found


CHECKS: dict[str, Check] = {
    'idea': an_idea,
    'budget': a_budget,
    'trouble': a_trouble,
    'pause': a_pause,
    'kill': a_kill,
    'night': a_night,
}
