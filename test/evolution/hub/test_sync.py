"""Two hubs: what one has gets to the other, and nothing else."""

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub import sync as module
from enpire_nodes.evolution.hub.claims import read_all
from enpire_nodes.evolution.hub.git import git
from enpire_nodes.evolution.hub.names import branch, CLAIMS, MAIN, PROMOTIONS
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.hub.sync import sync
from enpire_nodes.evolution.records import Promotion


@pytest.fixture
def pair(tmp_path, hub):
    """Return the fleet's hub, and those of two stations, made from it."""
    stations = []
    for name in ('s1', 's2'):
        path = tmp_path / f'{name}.git'
        git(None, 'clone', '-q', '--bare', '--no-local', '--template=', str(hub.path), str(path))
        one = Hub(path)
        one.prepare()
        stations.append(one)
    return hub, *stations


def quick(hub, upstream, station, **options):
    return sync(hub.path, str(upstream.path), station, deadline=50.0, **options)


def test_ideas_and_results_reach_the_other_station(pair, idea, key):
    fleet, one, two = pair
    made = idea(one, 's1', 'mine')
    one.add_result('s1', made, {'trials': 7}, key)
    told = quick(one, fleet, 's1')
    assert sorted(told.sent) == ['refs/heads/station/s1', 'refs/notes/results-s1']
    assert told.refused == []
    told = quick(two, fleet, 's2')
    assert 'refs/heads/station/s1' in told.received
    assert two.branches() == {'s1': made}
    assert [line.record for line in two.results() if line.verified] == [{'trials': 7}]
    assert quick(two, fleet, 's2').received == []
    assert quick(one, fleet, 's1').sent == []


def test_a_lost_hub_loses_nothing(pair, idea, tmp_path):
    fleet, one, _ = pair
    made = idea(one, 's1', 'mine')
    away = fleet.path.rename(tmp_path / 'away.git')
    waited = []
    with pytest.raises(StationError, match='nothing is lost') as caught:
        quick(one, fleet, 's1', wait=waited.append)
    assert caught.value.code == ErrorCode.HUB_UNREACHABLE
    assert len(waited) == 2
    assert one.branches() == {'s1': made}
    away.rename(fleet.path)
    assert quick(one, fleet, 's1').sent == ['refs/heads/station/s1']


def test_a_hub_that_was_tampered_with_brings_nothing_bad(pair, idea):
    """Somebody with the fleet's files writes past its hook."""
    fleet, one, _ = pair
    idea(fleet, 's2', 'evil', 'judge/reward.py')
    told = quick(one, fleet, 's1')
    assert one.branches() == {}
    assert 'judge/reward.py: frozen' in told.refused[0]


def test_only_a_promotion_that_is_trusted_moves_main(pair, idea, key):
    fleet, one, two = pair
    made = idea(one, 's1', 'better')
    quick(one, fleet, 's1')
    git(fleet.path, 'update-ref', MAIN, made)
    told = quick(two, fleet, 's2')
    assert two.main != made
    assert 'nobody who is trusted' in told.refused[0]
    one.promote(Promotion(made, 'r1', 50, 50, 0.94), key=key)
    assert any(ref.startswith(PROMOTIONS) for ref in quick(one, fleet, 's1').sent)
    assert MAIN in quick(two, fleet, 's2').received
    assert two.main == made


def test_a_promoted_main_reaches_the_fleet(pair, idea, key):
    fleet, one, _ = pair
    made = idea(one, 's1', 'better')
    one.promote(Promotion(made, 'r1', 50, 50, 0.94), key=key)
    assert quick(one, fleet, 's1').refused == []
    assert fleet.main == made


def test_claims_travel_and_the_first_at_the_fleet_holds(pair):
    fleet, one, two = pair
    assert one.claim('slower', 's1', for_seconds=600.0)
    assert two.claim('slower', 's2', for_seconds=600.0)
    quick(one, fleet, 's1')
    assert quick(two, fleet, 's2').lost == ['slower']
    assert [claim.station for claim in two.claims()] == ['s1']
    one.release('slower', 's1')
    quick(one, fleet, 's1')
    assert fleet.claims() == []


def test_another_hub_cannot_delete_or_force_by_a_push(pair, idea):
    fleet, one, _ = pair
    idea(one, 's1', 'mine')
    quick(one, fleet, 's1')
    before = fleet.branches()
    for spec in (f':{branch("s1")}', f'+{MAIN}:{branch("s1")}', f'{MAIN}:refs/heads/other'):
        assert git(one.path, 'push', str(fleet.path), spec, accept=(0, 1)).code == 1
    assert fleet.branches() == before


def test_two_stations_that_both_moved_main_overwrite_nothing(pair, idea, key):
    """Even where no hook would refuse it, as on a Git server that is no hub."""
    fleet, one, two = pair
    (fleet.path / 'hooks' / 'pre-receive').unlink()
    git(fleet.path, 'config', 'receive.denyNonFastForwards', 'false')
    mine, theirs = idea(one, 's1', 'mine'), idea(two, 's2', 'theirs')
    one.promote(Promotion(mine, 'r1', 50, 50, 0.94), key=key)
    two.promote(Promotion(theirs, 'r2', 50, 50, 0.94), key=key)
    quick(one, fleet, 's1')
    told = quick(two, fleet, 's2')
    assert (fleet.main, two.main) == (mine, theirs)
    assert any(f'the other hub has {mine[:10]}' in words for words in told.refused)


def test_nobody_brings_a_station_its_own_results(pair, key):
    fleet, one, two = pair
    fleet.add_result('s1', fleet.main, {'trials': 7}, key)
    assert quick(one, fleet, 's1').received == []
    assert one.results() == []
    assert quick(two, fleet, 's2').received == ['refs/notes/results-s1']


def test_a_claim_that_ended_does_not_travel(pair):
    fleet, one, two = pair
    one.claim('slower', 's1', for_seconds=-1.0)
    assert quick(one, fleet, 's1').sent == []
    fleet.claim('faster', 's3', for_seconds=-1.0)
    assert quick(two, fleet, 's2').received == []
    assert read_all(two.path, CLAIMS) == {}


def test_who_is_overtaken_between_looking_and_sending_looks_again(pair, monkeypatch):
    fleet, one, _ = pair
    one.claim('slower', 's1', for_seconds=600.0)
    fetch, waited = module._fetch, []

    def overtaken(*arguments):
        fetch(*arguments)
        fleet.claim('slower', 's2', for_seconds=600.0)

    monkeypatch.setattr(module, '_fetch', overtaken)
    told = quick(one, fleet, 's1', wait=waited.append)
    assert (told.lost, told.refused, len(waited)) == (['slower'], [], 1)
    assert [claim.station for claim in one.claims()] == ['s2']


def test_what_the_other_hub_does_not_take_is_told_with_its_words(pair, idea):
    fleet, one, _ = pair
    git(fleet.path, 'config', 'enpire.blob', '1')
    idea(one, 's1', 'mine')
    told = quick(one, fleet, 's1', wait=pytest.fail)
    assert told.sent == []
    assert 'refs/heads/station/s1' in told.refused[0]
    assert 'policy.py: has' in told.refused[0]
    assert fleet.branches() == {}


def test_a_ref_that_moves_while_it_is_looked_at_stays(pair, idea, monkeypatch):
    fleet, one, _ = pair
    idea(fleet, 's2', 'theirs')
    monkeypatch.setattr(module, 'swap', lambda *_: False)
    told = quick(one, fleet, 's1')
    assert told.refused == ['refs/heads/station/s2: it was moved meanwhile']
    assert told.received == []
