"""Traps for the station's Git in an agent's clone: a campaign goes by, and none is sprung."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys
import time

from night_support import AGENT, IDEA, REST
from paper_station import PaperStation
import pytest
from scripted_model import ScriptedModel, Step

from enpire_nodes.evolution.campaign.settings import CampaignSettings
from enpire_nodes.evolution.records import Budgets
from enpire_nodes.evolution.research import Research
from enpire_nodes.evolution.research_settings import ResearchSettings
from enpire_nodes.evolution.view import Asked
from enpire_nodes.sandbox.bubblewrap import availability

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not availability().usable, reason='bubblewrap does not work here'),
]

LONG = 90.0  # s
#: Sprung by any Git that is run in the clone with its own configuration.
TRAPS = """\
trap="$PWD/.git/trap.sh"
printf '#!/bin/sh\\ntouch %s\\nexit 1\\n' {pwned} > "$trap"; chmod +x "$trap"
for name in fsmonitor editor pager sshCommand askPass alternateRefsCommand; do
  git config core.$name "$trap"; done
git config diff.external "$trap"; git config gpg.program "$trap"
git config credential.helper "!$trap"; git config filter.trap.clean "$trap"
git config filter.trap.smudge "$trap"; git config filter.trap.required true
git config remote.origin.uploadpack "$trap"; git config remote.origin.receivepack "$trap"
git config uploadpack.packObjectsHook "$trap"; git config diff.trap.textconv "$trap"
echo '* filter=trap diff=trap' > .git/info/attributes
rm -rf .git/hooks; mkdir .git/hooks
for name in pre-commit post-commit post-checkout post-index-change reference-transaction \\
    pre-receive update post-update pre-push post-merge fsmonitor-watchman pre-auto-gc; do
  cp "$trap" .git/hooks/$name; done
echo planted"""


def campaign(folder: Path, url: str) -> Research:
    return Research(
        folder / 'run', station='station_1', task='pin_insertion', station_file='', seed=1,
        settings=ResearchSettings(model_url=url, require_frozen=False),
        campaign_settings=CampaignSettings(retest_trials=8, background_share=0.0),
        log=lambda words: None,
    )  # fmt: skip


def work(research: Research, station: PaperStation, enough) -> None:
    deadline = time.monotonic() + LONG
    while not enough():
        assert time.monotonic() < deadline
        assert research.tick() is None
        piece = research.campaign.next_slice()
        if piece is None:
            time.sleep(0.02)
        else:
            research.campaign.slice_ended(piece, *station.run(piece))


def test_the_station_runs_nothing_that_an_agent_has_put_into_its_clone(tmp_path, monkeypatch):
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    pwned, agent = tmp_path / 'pwned', tmp_path / 'agent' / 'agent.py'
    agent.parent.mkdir()
    agent.write_text(AGENT)
    ask = Step(shell=f'{IDEA.replace("-n 60", "60")}\nenpire trial submit -n 2')
    asked = Asked(
        task='', agent=f'acp:{sys.executable} {agent}', model='m', campaign='c1', target=0.9,
        confirmation_trials=30, budgets=Budgets(trials=100),
    )  # fmt: skip
    trap = Step(shell=TRAPS.format(pwned=pwned))
    station = PaperStation(tmp_path / 'run', lambda commit, seed: True)
    try:
        with ScriptedModel([ask, trap, REST]) as model:
            with campaign(tmp_path, model.url) as research:
                research.begin(asked)
                work(research, station, lambda: model.steps().count(2))
                planted = time.monotonic()
                work(research, station, lambda: time.monotonic() > planted + 2.0)
            # as it is after a crash: the next one moves the agent in again
            with campaign(tmp_path, model.url) as research:
                research.begin(None)
                lives = model.steps().count(2)
                work(research, station, lambda: model.steps().count(2) > lives)
                research.tree_picture()
                research.cancel()
                ended = research.tick()
                research.conclude(ended)
    finally:
        station.close()
    assert not pwned.exists()
    clone = tmp_path / 'run' / 'research' / 'agent' / 'workspace'
    subprocess.run(['git', 'status'], cwd=clone, check=False, capture_output=True, timeout=60)
    assert pwned.exists()  # the traps were set: whoever is careless springs them
