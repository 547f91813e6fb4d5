"""A night in miniature: an agent improves the policy of a simulated station, and is killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import time
from typing import Any, TYPE_CHECKING

from scripted_model import ScriptedModel

from agents_night import research_script
from agents_night.place import KEY
from enpire_nodes.evolution.agents.interface import Adapter
from enpire_nodes.evolution.journal import FINISHED, research_directory

if TYPE_CHECKING:
    from agents_night.campaign import Campaign


def a_night(adapter: Adapter, folder: Path) -> str:
    """Let it research at a station whose processes are killed; every token must be counted."""
    if adapter.name not in ('claude', 'codex', 'kimi'):
        return 'left out: it is played by the command lines that have an adapter of their own'
    # a station needs ROS, which the other checks do without
    from agents_night.campaign import alone, Campaign, configuration_of, research
    from agents_night.kills import Kills

    folder.mkdir(parents=True)
    run, key_file, keys = folder / 'run', folder / 'key', folder / 'keys'
    key_file.touch(0o600)
    key_file.write_text(KEY)
    told: list[Kills] = []
    began = time.monotonic()
    with alone(keys), ScriptedModel(research_script.testing()) as model:
        campaign = Campaign(run, model)

        def begin(station: Any) -> Iterator[None]:
            told.append(Kills(campaign, station))
            return told[0].story()

        try:
            result, restarts = research(
                configuration_of(run, model.url, key_file), adapter.name, begin
            )
        finally:
            print('; '.join(words for kills in told for words in kills.told), flush=True)
        check(campaign, result, restarts)
    calls = list(campaign.book.calls())
    return (
        f'{len(calls)} calls, {campaign.metered.total} tokens, '
        f'{sum(call.status == 402 for call in calls)} refused, {len(campaign.trials)} trials, '
        f'{campaign.lives} lives, {time.monotonic() - began:.0f} s: {result.message}'
    )


def check(campaign: Campaign, result: Any, restarts: dict[str, int]) -> None:
    """Hold what was recorded against what was done."""
    from enpire_nodes.evolution.hub.repository import Hub
    from enpire_nodes.evolution.report.verify import verify_run

    book, model = campaign.book, campaign.model
    assert result.outcome in (result.CERTIFIED, result.BUDGET_USED), result.message
    assert campaign.metered == model.truth, (campaign.metered, model.truth)
    hub = Hub(research_directory(campaign.run) / 'hub.git')
    ideas = [idea for idea in hub.ideas() if idea.subject == research_script.IDEA]
    assert [idea.station for idea in ideas] == ['station_1'], hub.ideas()
    assert hub.resolve('station/station_1') == ideas[0].commit, hub.ideas()
    graded = [t for t in campaign.trials if t.commit == ideas[0].commit and t.counted]
    assert graded, 'no trial of the idea was graded'
    retested = {arm.request_id for job in campaign.retests() for arm in job.arms}
    assert any(trial.request_id in retested for trial in campaign.trials), 'no re-test ran'
    assert sorted(restarts.values()) == [1, 1], f'not the two that were killed: {restarts}'
    assert len(set(campaign.sessions)) == 1, campaign.sessions
    ends = [entry.data for entry in book.entries if entry.kind == FINISHED]
    assert len(ends) == 1, f'not one campaign: {ends}'
    assert Path(result.report).name == 'report.html', result.report
    assert Path(result.report).is_file(), result.report
    problems = verify_run(campaign.run)
    assert not problems, problems
    assert model.asked, 'the model was not asked'
    for asked in model.asked:
        assert KEY in str(asked.headers), 'the model did not get the key'
    leaks = [path for path in campaign.run.rglob('*') if _holds(path, KEY.encode())]
    assert not leaks, f'the key is in {leaks}'


def _holds(path: Path, text: bytes) -> bool:
    return path.is_file() and not path.is_symlink() and text in path.read_bytes()
