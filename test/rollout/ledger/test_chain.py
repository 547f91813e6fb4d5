"""The hash chain finds every change."""

from dataclasses import replace
import json

from hypothesis import given
from hypothesis import strategies as st
import pytest

from enpire_nodes.rollout.ledger.chain import (
    canonical_json,
    check_chain,
    Entry,
    GENESIS,
    NOTE,
    TRIAL_CLOSED,
    TRIAL_STARTED,
)


def chained(*kinds_and_trials):
    """Return entries with right digests."""
    entries, previous = [], GENESIS
    for sequence, (kind, trial) in enumerate(kinds_and_trials, start=1):
        content = canonical_json({'n': sequence})
        entry = Entry(sequence, kind, 10 + sequence, sequence, trial, '', content, previous, '')
        entry = replace(entry, digest=entry.expected_digest())
        entries.append(entry)
        previous = entry.digest
    return entries


notes = st.integers(1, 12).map(lambda count: chained(*[(NOTE, '')] * count))


def test_an_empty_ledger_is_whole():
    report = check_chain([])
    assert report.whole
    assert (report.entries, report.head) == (0, GENESIS)


@given(notes)
def test_untouched_entries_are_whole(entries):
    report = check_chain(entries)
    assert report.whole
    assert report.head == entries[-1].digest


@given(notes, st.data())
def test_a_changed_field_is_named(entries, data):
    index = data.draw(st.integers(0, len(entries) - 1))
    changes = {
        'kind': 'interval',
        'wall_ns': 99,
        'monotonic_ns': 99,
        'trial_id': 'other',
        'request_id': 'other',
        'content': '{"n":99}',
        'previous': 'f' * 64,
        'digest': 'f' * 64,
    }
    name = data.draw(st.sampled_from(sorted(changes)))
    entries[index] = replace(entries[index], **{name: changes[name]})
    report = check_chain(entries)
    assert report.bad_sequence == index + 1
    assert report.entries == index


@given(notes, st.data())
def test_a_forged_digest_breaks_the_next_entry(entries, data):
    index = data.draw(st.integers(0, len(entries) - 1))
    forged = replace(entries[index], content='{"n":99}')
    entries[index] = replace(forged, digest=forged.expected_digest())
    report = check_chain(entries)
    if index + 1 == len(entries):  # the end of the chain shows against digests kept elsewhere
        assert report.head != chained(*[(NOTE, '')] * len(entries))[-1].digest
    else:
        assert report.bad_sequence == index + 2


@given(st.integers(2, 12), st.data())
def test_a_removed_entry_is_named(count, data):
    entries = chained(*[(NOTE, '')] * count)
    gone = data.draw(st.integers(0, count - 2))
    del entries[gone]
    report = check_chain(entries)
    assert report.bad_sequence == gone + 2
    assert 'missing' in report.problem


@given(st.integers(2, 12), st.data())
def test_swapped_entries_are_found(count, data):
    entries = chained(*[(NOTE, '')] * count)
    at = data.draw(st.integers(0, count - 2))
    entries[at], entries[at + 1] = entries[at + 1], entries[at]
    assert check_chain(entries).entries == at


@pytest.mark.parametrize(
    ('kinds', 'problem'),
    [
        ([(TRIAL_STARTED, 'a'), (TRIAL_STARTED, 'a')], 'started twice'),
        ([(TRIAL_CLOSED, 'a')], 'without having been started'),
        ([(TRIAL_STARTED, 'a'), (TRIAL_CLOSED, 'a'), (TRIAL_CLOSED, 'a')], 'closed twice'),
    ],
)
def test_a_chain_that_tells_an_impossible_story_is_bad(kinds, problem):
    report = check_chain(chained(*kinds))
    assert report.bad_sequence == len(kinds)
    assert problem in report.problem


@given(notes)
def test_an_export_can_be_checked_by_itself(entries):
    lines = [json.dumps(entry.exported()) for entry in entries]
    back = [Entry.imported(json.loads(line)) for line in lines]
    assert back == entries
    assert check_chain(back).whole


def test_canonical_json_is_one_text_and_has_no_nan():
    assert canonical_json({'b': 1, 'a': 'é'}) == '{"a":"é","b":1}'
    with pytest.raises(ValueError):
        canonical_json({'a': float('nan')})
