"""Robot utilization of a serial loop and of the queue, on a station on paper."""

from __future__ import annotations

import threading
import time

from paper_station import PaperStation
import pytest

from enpire_nodes.benchmark.robot_share import _block, evaluate, QUEUE, RobotShare, SERIAL
from enpire_nodes.environment.contract.signing import signing_key
from enpire_nodes.evolution.campaign.campaign import Campaign
from enpire_nodes.evolution.campaign.desk import CampaignDesk
from enpire_nodes.evolution.campaign.settings import CampaignSettings
from enpire_nodes.evolution.desk.views import TrialAsk
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.records import Budgets, CampaignRecord
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.records import Activity, StateInterval

TRIAL = 0.1  # s


class TimedStation(PaperStation):
    """A station on paper whose trials take a while, and whose ledger says so."""

    def run(self, piece):
        begin = (time.time_ns(), time.monotonic_ns())
        time.sleep(TRIAL)
        answer = super().run(piece)
        end = (time.time_ns(), time.monotonic_ns())
        self.ledger.add_interval(
            StateInterval(Activity.EXECUTING, begin[0], end[0], begin[1], end[1], 'x', 't')
        )
        self._last = end
        return answer

    def idle(self, since):
        now = (time.time_ns(), time.monotonic_ns())
        self.ledger.add_interval(
            StateInterval(Activity.IDLE_WAITING_AGENT, since[0], now[0], since[1], now[1])
        )
        return now

    def _work(self, requester, trial_id):
        return None


@pytest.fixture
def measured(tmp_path, monkeypatch) -> RobotShare:
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    seed = tmp_path / 'seed'
    seed.mkdir()
    (seed / 'policy.py').write_text('class Policy: ...\n')
    (seed / 'recipe.yaml').write_text('algorithm: search\n')
    hub = Hub.create(tmp_path / 'hub.git', seed=seed)
    station = TimedStation(tmp_path / 'run', lambda commit, seed: True)
    campaign = Campaign(tmp_path / 'run', hub, key=signing_key(), settings=CampaignSettings())
    campaign.begin(
        CampaignRecord('c', 'station_1', 'pin_insertion', 'bench', '', 0.9, 50,
                       Budgets(trials=10_000), str(hub.path))
    )  # fmt: skip
    desk, over = CampaignDesk(campaign), threading.Event()

    def work() -> None:
        since = (time.time_ns(), time.monotonic_ns())
        while not over.is_set():
            piece = campaign.next_slice()
            if piece is None:
                with campaign.changed:
                    campaign.changed.wait(0.02)
                continue
            since = station.idle(since)
            campaign.slice_ended(piece, *station.run(piece))
            since = station._last
        station.idle(since)

    worker = threading.Thread(target=work)
    worker.start()
    desk.job(desk.submit(TrialAsk('main', trials=1, explore=True)).job_id, wait=30.0)
    blocks = [_block(campaign, desk, mode, (0.6,), 2) for mode in (SERIAL, QUEUE)]
    over.set()
    worker.join(30.0)
    campaign.evidence.read()
    with LedgerReader(tmp_path / 'run') as ledger:
        found = evaluate(ledger, list(campaign.book.jobs.values()), blocks, (0.6,))
    campaign.close()
    station.close()
    return found


def test_the_queue_works_while_the_agent_thinks_and_the_loop_does_not(measured):
    assert measured.serial < measured.queue
    assert measured.serial_executing == pytest.approx(measured.serial)
    assert measured.queue <= 1.0
    assert len(measured.delays) == 1
    assert measured.handover
    assert measured.longest_trial == pytest.approx(12.0)  # what the paper says of its trials


def test_the_words_have_both_shares_and_the_goals(measured):
    words = str(measured)
    assert f'{measured.queue:.1%} with the queue (goal 90%)' in words
    assert f'{measured.serial:.1%} in the serial loop' in words
    assert 'at most (goal 1)' in words
