"""Tables of a result that was made by hand."""

import io
import json

import cv2
import pytest
from rich.console import Console

from enpire_nodes.benchmark.learning import report
from enpire_nodes.common.bounds import lower_bound, upper_bound


def graded(variant, *wins):
    """Return the re-tests of a variant: so many successes on each station."""
    return [
        {'variant': variant, 'seed': seed, 'pose': pose, 'success': pose < count, 'seconds': 4.0}
        for seed, count in enumerate(wins, start=1)
        for pose in range(20)
    ]


def course(variant, seed, *, trials=(), rescues=0, minutes=10.0, blocks=()):
    return {
        'variant': variant, 'seed': seed, 'trials': list(trials), 'rescues': rescues,
        'minutes': minutes, 'blocks': list(blocks), 'judges': ['ab' * 32],
    }  # fmt: skip


@pytest.fixture
def results():
    own = [(float(minute), minute > 10) for minute in range(40)]
    return {
        'plan': {'seeds': [1, 2], 'certify': 60.0},
        'courses': [
            course('bc', 1, minutes=8.0), course('bc', 2, minutes=12.0),
            course('bc_rl', 1, trials=own, rescues=1, minutes=20.0),
            course('bc_rl', 2, trials=own, rescues=2, minutes=31.0),
            course('rlpd', 1, trials=own), course('rlpd', 2, trials=own),
            course('certified', 1, trials=own, rescues=4, minutes=44.0,
                   blocks=[(12, 11, 30.0), (50, 48, 44.04)]),
            course('certified', 2, minutes=61.0, blocks=[(7, 7, 50.0)]),
            course('certified', 3, minutes=62.0),
        ],
        'tests': [*graded('bc', 10, 5), *graded('bc_rl', 20, 19), *graded('rlpd', 10, 6)],
    }  # fmt: skip


def cells(table):
    columns = [list(column.cells) for column in table.columns]
    return list(zip(*columns, strict=True))


def test_counts_are_of_one_variant():
    tests = [*graded('bc', 10, 5), *graded('bc_rl', 20, 19)]
    assert report.counts(tests, 'bc') == (15, 40)
    assert report.counts(tests, 'bc_rl') == (39, 40)
    assert report.counts(tests, 'residual') == (0, 0)


def test_the_re_tests_are_told_with_bounds_and_costs(results):
    rows = cells(report.test_table({**results, 'tests': results['tests'][:80]}))
    assert rows == [
        (
            'bc', '15/40', f'{100 * lower_bound(15, 40):.1f} %',
            f'{100 * upper_bound(15, 40):.1f} %', '10 5', '4.0 s', '0', '10 min',
        ),
        (
            'bc_rl', '39/40', f'{100 * lower_bound(39, 40):.1f} %',
            f'{100 * upper_bound(39, 40):.1f} %', '20 19', '4.0 s', '3', '26 min',
        ),
    ]  # fmt: skip


def words(*tests):
    found = {}
    for claim, _, _, chance, word in cells(report.claim_table([t for ts in tests for t in ts])):
        found[claim.rpartition('(')[2].rstrip(')')] = (float(chance), word)
    return found


@pytest.mark.parametrize(
    ('better', 'worse', 'word'),
    [
        ((20, 20), (10, 6), 'holds'),
        ((10, 6), (20, 20), 'the opposite'),
        ((15, 15), (14, 15), 'not shown'),
        ((15, 15), (15, 15), 'not shown'),
        ((20, 20), (20, 20), 'not shown'),
        ((0, 0), (0, 0), 'not shown'),
    ],
)
def test_a_claim_holds_is_not_shown_or_is_the_opposite(better, worse, word):
    found = words(graded('bc_rl', *better), graded('rlpd', *worse))
    assert set(found) == {'bc_rl > rlpd'}, 'claims about what did not run are left out'
    chance, said = found['bc_rl > rlpd']
    assert said == word
    assert (chance < 0.05) == (word == 'holds')


def test_each_claim_is_asked_by_itself(results):
    found = words(results['tests'])
    assert {name: word for name, (_, word) in found.items()} == {
        'bc_rl > rlpd': 'holds', 'bc_rl > bc': 'holds', 'rlpd > bc': 'not shown',
    }  # fmt: skip


def test_certification_is_told_station_by_station(results):
    assert cells(report.certified_table(results)) == [
        ('1', '44.0 min', '40', '2', '50/50', '48/50', '4'),
        ('2', 'not in 61 min', '0', '1', '7/50', '7/50', '0'),
        ('3', 'not in 62 min', '0', '0', '0/50', '0/50', '0'),
    ]
    caption = report.certified_table(results).caption
    assert caption.endswith('judged by abababababab'), 'a judge is named once'


def test_the_report_is_written(results, tmp_path):
    screen = Console(file=io.StringIO(), width=120)
    report.write_report(screen, tmp_path, results)
    kept = json.loads((tmp_path / 'learning.json').read_text('utf-8'))
    assert kept['tests'] == results['tests']
    assert kept['plan'] == results['plan']
    text = (tmp_path / 'learning.txt').read_text('utf-8')
    for told in (text, screen.file.getvalue()):
        assert '39/40' in told
        assert 'rankings of the paper' in told
        assert 'not in 61 min' in told
    picture = cv2.imread(str(tmp_path / 'learning.png'))
    assert picture.std() > 1.0


def test_a_variant_that_never_ran_is_no_row(results):
    names = [row[0] for row in cells(report.test_table({**results, 'tests': []}))]
    assert names == []
