"""A night in miniature: runner, supervisor and agent as processes, a model that plays a script.

The agent speaks the Agent Client Protocol and asks the model over the station's proxy, as any
other one would; its tool is a shell in its sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
from typing import Any

from goal_support import offer
import psutil
from ros_support import RosHarness
from scripted_model import ScriptedModel, Step

from enpire_msgs.action import RunResearch
from enpire_nodes.evolution.campaign.book import CampaignBook
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.hub.seed import seed_files
from enpire_nodes.evolution.journal import Journal, research_directory
from enpire_nodes.evolution.researcher.start import make_start
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.run_directory import RunDirectory

LONG = 120.0  # s; a machine may be busy
TEST = Path(__file__).parent
SECRET = 'sk-the-key-of-the-night-0123456789'

#: Keeps its conversation in its home, so that it can be gone on with.
AGENT = """
import http.client, json, os, pathlib, subprocess, sys, uuid
HOME = pathlib.Path(os.environ['HOME'])
TOOL = {'name': 'Bash', 'input_schema': {'properties': {'command': {'type': 'string'}}}}
conversation, place = [], None
def send(**message):
    print(json.dumps({'jsonrpc': '2.0', **message}), flush=True)
def update(**content):
    send(method='session/update', params={'sessionId': place.stem, 'update': content})
def keep(**message):
    conversation.append(message)
    place.write_text(json.dumps(conversation))
def think():
    connection = http.client.HTTPConnection('127.0.0.1', 8080, timeout=60)
    body = {'model': 'm', 'max_tokens': 9, 'messages': conversation, 'tools': [TOOL]}
    connection.request('POST', '/v1/messages', json.dumps(body))
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())
def work(text):
    if conversation and conversation[-1]['role'] == 'assistant':
        keep(role='user', content=[
            {'type': 'tool_result', 'tool_use_id': b['id'], 'content': 'it was cut off'}
            for b in conversation[-1]['content'] if b['type'] == 'tool_use'])
    keep(role='user', content=text)
    while True:
        status, answer = think()
        with open(HOME / 'statuses', 'a') as file:
            file.write(f'{status} ')
        if status != 200:
            return 'refusal'
        keep(role='assistant', content=answer['content'])
        calls = [block for block in answer['content'] if block['type'] == 'tool_use']
        if not calls:
            return 'end_turn'
        for call in calls:
            command = call['input']['command']
            update(sessionUpdate='tool_call', toolCallId=call['id'], title=command,
                   kind='execute')
            done = subprocess.run(command, shell=True, text=True, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            update(sessionUpdate='tool_call_update', toolCallId=call['id'], status='completed')
            said = f'{done.returncode}: {done.stdout}'
            keep(role='user', content=[
                {'type': 'tool_result', 'tool_use_id': call['id'], 'content': said}])
for line in sys.stdin:
    message = json.loads(line)
    number, asked = message.get('id'), message.get('params') or {}
    method = message.get('method')
    if method == 'initialize':
        send(id=number, result={'protocolVersion': 1, 'agentCapabilities': {'loadSession': True}})
    elif method == 'session/new':
        place = HOME / f'{uuid.uuid4().hex}.json'
        send(id=number, result={'sessionId': place.stem})
    elif method == 'session/load':
        place = HOME / (asked['sessionId'] + '.json')
        conversation[:] = json.loads(place.read_text())
        send(id=number, result=None)
    elif method == 'session/prompt':
        send(id=number, result={'stopReason': work(asked['prompt'][0]['text'])})
"""

#: Commits until the runner on paper likes the commit: one in four is good.
IDEA = """\
for n in $(seq 60); do
  echo "# $(head -c 8 /dev/urandom | od -An -tx1)" >> recipe.yaml
  git add -A; git commit -qm 'Try what the paper likes'
  test $((0x$(git rev-parse HEAD | cut -c1-4) % 4)) = 0 && break
  git reset -q --hard HEAD~1
done; git log --oneline -1"""
REST = Step(shell='sleep 600')


def good(commit: str) -> bool:
    """Whether the runner on paper lets a commit succeed mostly."""
    return int(commit[:4], 16) % 4 == 0


class Night:
    """A run directory, and the processes that work on it.

    :param seconds: that a trial takes on paper.
    """

    def __init__(self, ros: RosHarness, folder: Path, *, seconds: float = 0.02) -> None:
        self.ros, self.folder, self.run, self.seconds = ros, folder, folder / 'run', seconds
        self.research = research_directory(self.run)
        self.hub = self._hub()
        self.key = folder / 'model.key'
        self.key.write_text(SECRET)
        self.key.chmod(0o600)
        place = folder / 'agent'
        place.mkdir()
        (place / 'agent.py').write_text(AGENT)
        self.agent = f'acp:{sys.executable} {place / "agent.py"}'
        self.model: ScriptedModel | None = None
        self._children: list[subprocess.Popen] = []

    def _hub(self) -> Hub:
        """Make a hub whose first commit the runner on paper does not like."""
        for number in range(60):
            seed = self.folder / f'seed-{number}'
            seed_files(seed, 'pin_insertion')
            make_start(seed)
            (seed / 'NOTES.md').write_text(f'Seed {number}.\n')
            hub = Hub.create(self.research / 'hub.git', seed=seed)
            if not good(hub.main):
                return hub
            shutil.rmtree(hub.path)
        raise AssertionError('every first commit is a good one')

    # -- processes ----------------------------------------------------------------------------

    def start(self, script: Sequence[Step], **parameters: object) -> None:
        """Start everything, and the supervisor with these parameters."""
        self.model = ScriptedModel(script).__enter__()
        self.parameters = parameters
        self.runner = self.start_runner()
        self.supervisor = self.start_supervisor()

    def start_runner(self) -> subprocess.Popen:
        """Start a trial runner."""
        self.runner = self._start('runner', str(TEST / 'night_runner.py'), str(self.run),
                                  str(self.seconds), '--ros-args')  # fmt: skip
        return self.runner

    def start_supervisor(self) -> subprocess.Popen:
        """Start a supervisor, as the station's own runner of processes does."""
        values = {
            'run_directory': self.run, 'require_frozen': 'false', 'retest_trials': 8,
            'confirmation_attempts': 1, 'background_share': 0.0, 'model_url': self.model.url,
            'model_key_file': self.key, **self.parameters,
        }  # fmt: skip
        given = [part for name, value in values.items() for part in ('-p', f'{name}:={value}')]
        self.supervisor = self._start(
            'supervisor', '-m', 'enpire_nodes.bringup.container', 'agent_supervisor',
            '--parent', str(os.getpid()), '--ros-args', *given,
        )  # fmt: skip
        return self.supervisor

    def _start(self, name: str, *command: str) -> subprocess.Popen:
        environment = {
            **os.environ,
            'ROS_DOMAIN_ID': str(self.ros.domain_id),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
            'PYTHONPATH': os.pathsep.join(
                [str(TEST.parent), str(TEST), os.environ.get('PYTHONPATH', '')]
            ),
        }
        with (self.folder / f'{name}.log').open('ab') as log:
            child = subprocess.Popen(
                [sys.executable, *command, '-r', '__ns:=/station_1'],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                start_new_session=True,
            )  # fmt: skip
        self._children.append(child)
        return child

    def kill(self, child: subprocess.Popen) -> list[psutil.Process]:
        """Kill a process without warning; return what it had started."""
        family = psutil.Process(child.pid).children(recursive=True)
        child.send_signal(signal.SIGKILL)
        child.wait(30.0)
        return family

    def agents(self) -> list[psutil.Process]:
        """Return every process of this night's agent, its sandbox included."""
        found = []
        for process in psutil.process_iter():
            try:
                mark = process.environ().get('ENPIRE_AGENT_LIFE', '')
                named = str(self.folder / 'agent') in ' '.join(process.cmdline())
                if (str(self.run) in mark or named) and living(process):
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found

    def close(self) -> None:
        """End every process; what the supervisor started ends with it."""
        for child in reversed(self._children):
            if child.poll() is None:
                child.send_signal(signal.SIGINT)
                try:
                    child.wait(30.0)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait(10.0)
        if self.model is not None:
            self.model.__exit__()

    # -- what a client does -------------------------------------------------------------------

    def send(self, **fields: object) -> Any:
        """Send a goal, again if nobody answers as every client does; return its handle."""
        goal = RunResearch.Goal(
            **{
                'agent': self.agent, 'campaign': 'c1', 'target_success_rate': 0.6,
                'confirmation_trials': 20, 'budget_trials': 400, **fields,
            }
        )  # fmt: skip

        def accepted() -> Any:
            handle = offer(self.ros, RunResearch, 'run_research', goal, patience=LONG)
            return handle if handle.accepted else None

        return self.until(accepted, 'the acceptance')

    def result(self, handle: Any) -> RunResearch.Result:
        """Wait for the result of a goal."""
        future = self.ros.within(handle.get_result_async)
        self.until(future.done, 'the result')
        return future.result().result

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait until something holds; tell what the processes said when it does not."""
        try:
            return self.ros.wait_until(condition, LONG, what)
        except AssertionError as error:
            logs = [
                f'{path.name}:\n{path.read_text(errors="replace")[-3000:]}'
                for path in [*self.folder.glob('*.log'), *self.research.glob('log/*')]
            ]
            raise AssertionError('\n'.join([str(error), *logs])) from error

    # -- what is on the disk ------------------------------------------------------------------

    def book(self) -> CampaignBook:
        """Read the journal."""
        book = CampaignBook(Journal(self.run))
        book.read()
        return book

    def events(self, event: str) -> list[str]:
        """Return the words of the journal's entries about the agent."""
        entries = [e.data for e in self.book().entries if e.kind == 'agent']
        return [data.get('words', '') for data in entries if data['event'] == event]

    def trials(self) -> int:
        """Return how many trials are closed."""
        if not RunDirectory(self.run).ledger.is_file():
            return 0
        with LedgerReader(self.run) as ledger:
            return len(ledger.trials())

    def open_trials(self) -> int:
        """Return how many trials are begun and not closed."""
        with LedgerReader(self.run) as ledger:
            return len(ledger.open_trials())

    def miscounted(self) -> list[str]:
        """Return the jobs that are done, and have another number of trials than they should."""
        book, wrong = self.book(), []
        with LedgerReader(self.run) as ledger:
            for job in book.jobs.values():
                for arm in job.arms:
                    ran = ledger.trials_of_request(arm.request_id)
                    seeds = [trial.seed for trial in ran]
                    whole = book.state(job.job_id).name != 'DONE' or 'early' in (
                        book.states[job.job_id].message
                    )
                    if (
                        len(set(seeds)) != len(seeds)
                        or len(ran) > job.trials
                        or (not whole and len(ran) != job.trials)
                    ):
                        wrong.append(f'{job.job_id}: {len(ran)} of {job.trials}, seeds {seeds}')
        return wrong


def living(process: psutil.Process) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
