"""A campaign for each test."""

from __future__ import annotations

from collections.abc import Iterator

from campaign_bench import CampaignBench
import pytest

from enpire_nodes.environment.contract.signing import signing_key


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Iterator[CampaignBench]:
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    bench = CampaignBench(tmp_path, signing_key())
    yield bench
    bench.close()
