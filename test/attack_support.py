"""An agent's real lodging with its three real sockets, for attacks from inside of it.

The campaign, the hub, the proxy and the sandbox are the station's own; the robot is on paper and
the model plays a script. Nothing here weakens a wall: what an attack can do here, an agent can.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
import subprocess
import sys
import tempfile

from campaign_bench import work
from paper_station import PaperStation
from scripted_model import ScriptedModel, Step

from enpire_nodes.common.files import config_file
from enpire_nodes.environment.contract.signing import signing_key
from enpire_nodes.evolution.campaign.campaign import Campaign
from enpire_nodes.evolution.campaign.desk import CampaignDesk
from enpire_nodes.evolution.campaign.settings import CampaignSettings
from enpire_nodes.evolution.desk.server import DeskServer
from enpire_nodes.evolution.desk.views import TrialAsk
from enpire_nodes.evolution.hub.git import git
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.hub.seed import seed_files
from enpire_nodes.evolution.hub.socket import HubSocket
from enpire_nodes.evolution.journal import research_directory
from enpire_nodes.evolution.lodging import Lodging
from enpire_nodes.evolution.metering.key import ModelKey
from enpire_nodes.evolution.metering.prices import PriceList
from enpire_nodes.evolution.metering.proxy import MeteringProxy
from enpire_nodes.evolution.records import Budgets, CampaignRecord
from enpire_nodes.evolution.researcher.start import make_start

SECRET = 'sk-the-only-real-secret-0123456789'
STATION = 'station_1'
OTHER = 'refs/heads/station/station_2'  # branch of another station
LIMIT = 90.0  # s for an attack; most take one
DONE = 'the attack came to its end'

#: What every attack may use: the trial socket, and HTTP on the model's port.
TOOLS = """
import http.client, json, os, pathlib, socket, subprocess, sys
class Socket(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(os.environ['ENPIRE_TRIAL_SOCKET'])
def ask(method, path, body=None, headers={}):
    connection = Socket('station')
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    try:
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors='replace')
    except OSError as error:
        return 0, repr(error)
    finally:
        connection.close()
def model(method, path, body=None, headers={}):
    connection = http.client.HTTPConnection('127.0.0.1', 8080, timeout=30)
    try:
        connection.request(method, path, json.dumps(body).encode() if body else None, headers)
        answer = connection.getresponse()
        return answer.status, str(answer.getheaders()) + answer.read().decode(errors='replace')
    finally:
        connection.close()
def sh(command):
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr
def show(*things):
    print(*things, flush=True)
def clone(folder='/tmp/clone'):
    sh(f'rm -rf {folder} && git clone -q -b main git://127.0.0.1:9418/hub.git {folder}')
    os.chdir(folder)
    sh('git config user.name agent; git config user.email agent@localhost')
def push(ref, subject='an idea'):
    made = sh(f"git add -A && git commit -qm '{subject}'")
    return made, sh(f'git push origin HEAD:{ref}')
"""


class House:
    """A station with an agent in it; a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.run = folder, folder / 'run'
        self.research = research_directory(self.run)
        self._held = ExitStack()

    def __enter__(self) -> House:
        seed = self.folder / 'seed'
        seed_files(seed, 'pin_insertion')
        make_start(seed)
        self.hub = Hub.create(self.research / 'hub.git', seed=seed)
        self.base = self.hub.main
        self.wins = True
        self.station = PaperStation(self.run, lambda commit, seed: self.wins)
        self._held.callback(self.station.close)
        self.secret_file = self.folder / 'model.key'
        self.secret_file.write_text(SECRET)
        self.secret_file.chmod(0o600)
        self.model = self._held.enter_context(ScriptedModel([Step(say='hello')]))
        self.said: list[str] = []
        self.campaign = Campaign(
            self.run, self.hub, key=signing_key(), log=self.said.append,
            settings=CampaignSettings(retest_trials=12, background_share=0.0),
        )  # fmt: skip
        self._held.callback(self.campaign.close)
        self.campaign.begin(
            CampaignRecord(
                'c1', STATION, 'pin_insertion', 'acp:attack', 'm', 0.8, 20,
                Budgets(trials=100_000), str(self.hub.path),
            )
        )  # fmt: skip
        self.desk = CampaignDesk(self.campaign)
        sockets = Path(self._held.enter_context(tempfile.TemporaryDirectory(prefix='enpire-')))
        named = {name: sockets / f'{name}.sock' for name in ('trial', 'hub', 'model')}
        self.calls: list = []
        proxy = MeteringProxy(
            named['model'], upstream=self.model.url, key=ModelKey.load('', self.secret_file),
            gate=lambda: '', record=self.calls.append,
            prices=PriceList.load(config_file('prices.yaml')),
        )  # fmt: skip
        for server in (
            DeskServer(named['trial'], self.desk), HubSocket(named['hub'], self.hub, STATION),
            proxy,
        ):  # fmt: skip
            server.start()
            self._held.callback(server.close)
        self.lodging = Lodging(
            self.research / 'agent', self.run, STATION, 'pin_insertion', '', named
        )
        self.lodging.prepare(self.hub)
        job = self.desk.submit(TrialAsk(self.base, trials=2))  # something to look at
        self.work()
        self.trials = self.desk.job(job.job_id).arms[0].trial_ids
        for trial in self.trials:
            (self.run / 'trials' / trial).mkdir(exist_ok=True)
            (self.run / 'trials' / trial / 'bag').write_text('what was recorded')
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    @property
    def clone(self) -> Path:
        """The agent's."""
        return self.lodging.workspace

    def command(self, argv: list[str]) -> list[str]:
        """Return what runs ``argv`` as the agent is run."""
        return self.lodging.sandboxed(argv, {}, ())

    def attack(self, code: str, **names: object) -> str:
        """Run Python code in the lodging; return what it printed, once it came to its end."""
        given = ''.join(f'{name} = {str(value)!r}\n' for name, value in names.items())
        whole = f'{TOOLS}\n{given}\n{code}\nprint({DONE!r})'
        command = self.command([sys.executable, '-c', whole])
        # what is tried here would wreck the machine of whoever ran it without any wall
        if not {'bwrap', '--unshare-all'} <= {Path(word).name for word in command}:
            raise AssertionError('an attack is run in a sandbox, or not at all')
        done = subprocess.run(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT, check=False,
            errors='replace',
        )  # fmt: skip
        assert DONE in done.stdout, done.stdout
        return done.stdout.replace(DONE, '')

    def work(self, most: int = 500) -> int:
        """Let the robot run what is queued; return how many trials that were."""
        return work(self.campaign, self.station, most)

    def refs(self) -> str:
        """Return every ref of the hub, with what it names."""
        return git(self.hub.path, 'for-each-ref', '--format=%(refname) %(objectname)').text
