"""Claims: one holder at a time."""

from concurrent.futures import ThreadPoolExecutor
import time

import pytest

from enpire_nodes.evolution.hub import claims as module
from enpire_nodes.evolution.hub.git import git
from enpire_nodes.evolution.hub.names import claim_ref


def test_a_claim_is_one_stations_until_it_is_given_back(hub):
    assert hub.claim('slower', 's1', for_seconds=60.0)
    assert not hub.claim('slower', 's2', for_seconds=60.0)
    assert [(claim.key, claim.station) for claim in hub.claims()] == [('slower', 's1')]
    assert not hub.release('slower', 's2')
    assert hub.release('slower', '/s1')
    assert hub.claims() == []
    assert hub.claim('slower', 's2', for_seconds=60.0)


def test_of_many_that_try_at_once_one_gets_it(hub):
    stations = [f's{index}' for index in range(8)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda s: hub.claim('slower', s, for_seconds=60.0), stations))
    assert sum(got) == 1
    assert hub.claims()[0].station == stations[got.index(True)]


def test_a_claim_is_prolonged_by_its_holder(hub):
    hub.claim('slower', 's1', for_seconds=60.0)
    [before] = hub.claims()
    assert hub.claim('slower', 's1', for_seconds=600.0)
    [after] = hub.claims()
    assert after.until_ns > before.until_ns
    assert after.since_ns == before.since_ns


def test_a_claim_that_ended_is_free(hub, monkeypatch):
    hub.claim('slower', 's1', for_seconds=60.0)
    later = time.time_ns() + 61 * 10**9
    monkeypatch.setattr(module.time, 'time_ns', lambda: later)
    assert hub.claims() == []
    assert hub.claim('slower', 's2', for_seconds=60.0)
    assert [claim.station for claim in hub.claims()] == ['s2']


@pytest.mark.parametrize(
    'key', ['Go slower, near the hole!', '../../heads/main', 'a.lock', 'ü', '']
)
def test_any_sentence_can_be_claimed(hub, key):
    before = hub.main
    assert hub.claim(key, 's1', for_seconds=60.0)
    assert not hub.claim(key, 's2', for_seconds=60.0)
    assert hub.claims()[0].key == key
    assert hub.main == before


def test_what_is_no_claim_holds_nobody_up(hub):
    blob = git(hub.path, 'hash-object', '-w', '--stdin', content=b'[]').text
    git(hub.path, 'update-ref', claim_ref('slower'), blob)
    assert hub.claims() == []
    assert hub.claim('slower', 's1', for_seconds=60.0)
