"""A campaign on a real hub and a real ledger, with a station on paper."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from git_support import git
from paper_station import PaperStation

from enpire_nodes.evolution.campaign.campaign import Campaign
from enpire_nodes.evolution.campaign.desk import CampaignDesk
from enpire_nodes.evolution.campaign.settings import CampaignSettings
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.records import Budgets, CampaignRecord


def work(campaign: Campaign, station: PaperStation, most: int) -> int:
    """Let a station run what a campaign wants of it; return how many trials that took."""
    for count in range(most):
        campaign.tick()
        piece = campaign.next_slice()
        if piece is None:
            return count
        campaign.slice_ended(piece, *station.run(piece))
    return most


class CampaignBench:
    """Everything that a campaign needs, and a way to make ideas."""

    def __init__(self, folder: Path, key: Ed25519PrivateKey) -> None:
        self.folder, self.run, self.key = folder, folder / 'run', key
        seed = folder / 'seed'
        seed.mkdir()
        (seed / 'policy.py').write_text('class Policy: ...\n')
        (seed / 'recipe.yaml').write_text('algorithm: search\n')
        self.hub = Hub.create(folder / 'hub.git', seed=seed)
        self.rates: dict[str, float] = {}
        self.station = PaperStation(self.run, self.succeeds)
        self.said: list[str] = []
        self.campaign: Campaign | None = None
        self.ideas = 0

    def succeeds(self, commit: str, seed: int) -> bool:
        """Succeed in as many of a thousand seeds as the commit's rate says."""
        return seed * 7919 % 1000 < 1000 * self.rates.get(commit, 0.0)

    def begin(self, *, budgets: Budgets | None = None, **settings) -> CampaignDesk:
        """Begin a campaign, or go on with it as after a crash."""
        if self.campaign is not None:
            self.campaign.close()
        self.campaign = Campaign(
            self.run, self.hub, key=self.key, log=self.said.append,
            settings=CampaignSettings(
                **{'retest_trials': 12, 'background_share': 0.0, **settings}
            ),
        )  # fmt: skip
        self.campaign.begin(
            CampaignRecord(
                'c1', 'station_1', 'pin_insertion', 'builtin', '', 0.8, 20,
                budgets or Budgets(trials=1000), str(self.hub.path),
            )
        )  # fmt: skip
        return CampaignDesk(self.campaign)

    def idea(self, subject: str, rate: float, *, recipe: str = 'algorithm: search\n') -> str:
        """Push a commit that succeeds at a rate; return it."""
        self.ideas += 1
        clone = self.folder / f'clone-{self.ideas}'
        git(self.folder, 'clone', '-q', str(self.hub.path), str(clone))
        (clone / 'recipe.yaml').write_text(recipe + f'# {subject}\n')
        git(clone, 'commit', '-qam', subject)
        git(clone, 'push', '-q', 'origin', f'HEAD:refs/heads/station/station_1/{self.ideas}')
        commit = git(clone, 'rev-parse', 'HEAD')
        self.rates[commit] = rate
        for record in self.hub.ideas():
            self.campaign.heard(record)
        return commit

    def work(self, most: int = 10_000) -> int:
        """Let the robot run until nothing is left; return how many trials that took."""
        return work(self.campaign, self.station, most)

    def close(self) -> None:
        """Close both ledgers."""
        if self.campaign is not None:
            self.campaign.close()
        self.station.close()
