"""``enpire hub``: a hub from nothing, and what is in one."""

import pytest

from enpire_nodes.cli.main import make_parser
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract.signing import signing_key
from enpire_nodes.evolution.hub.git import git
from enpire_nodes.evolution.hub.names import branch, PROMOTIONS, results_ref
from enpire_nodes.evolution.hub.notes import append
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.records import Promotion


def enpire(*words):
    args = make_parser(['hub']).parse_args(['hub', *map(str, words)])
    return args.run(args)


def test_a_hub_is_made_of_the_template(tmp_path, capsys):
    assert enpire('init', tmp_path / 'hub.git') == 0
    hub = Hub(tmp_path / 'hub.git')
    told = capsys.readouterr().out
    assert hub.main[:10] in told
    assert 'enpire hub status' in told
    hub.export('main', tmp_path / 'out')
    assert (tmp_path / 'out' / 'FROZEN').is_file()


def test_a_hub_is_made_of_a_folder(tmp_path):
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'policy.py').write_text('GAIN = 1\n', 'utf-8')
    assert enpire('init', tmp_path / 'hub.git', '--from', tmp_path / 'mine') == 0
    Hub(tmp_path / 'hub.git').export('main', tmp_path / 'out')
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['policy.py']


@pytest.mark.parametrize('words', [['--task', 'knitting'], ['--from', '/nowhere']])
def test_what_cannot_be_made_is_told(tmp_path, words):
    with pytest.raises(StationError) as caught:
        enpire('init', tmp_path / 'hub.git', *words)
    assert caught.value.code == ErrorCode.HUB_UNUSABLE
    assert not (tmp_path / 'hub.git').exists()


def test_the_status_tells_what_is_there_and_what_is_wrong(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    enpire('init', tmp_path / 'hub.git')
    hub = Hub(tmp_path / 'hub.git')
    hub.claim('slower', 's1', for_seconds=600.0)
    hub.add_result('s1', 'main', {'trials': 3}, signing_key())
    capsys.readouterr()
    assert enpire('status', tmp_path / 'hub.git') == 0
    told = capsys.readouterr().out
    assert f'main        {hub.main[:10]}' in told
    assert 'claimed     slower  by s1' in told
    assert 'results     1 verified' in told
    append(hub.path, results_ref('s1'), hub.main, '{"commit": "x", "station": "s1"}')
    assert enpire('status', tmp_path / 'hub.git') == 1
    assert 'problem: s1, commit x' in capsys.readouterr().out


def test_the_status_tells_of_branches_and_of_promotions_that_nobody_signed(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    enpire('init', tmp_path / 'hub.git')
    hub = Hub(tmp_path / 'hub.git')
    tree = git(hub.path, 'rev-parse', 'main^{tree}').text
    made = git(hub.path, 'commit-tree', '-p', hub.main, '-m', 'Go slower', tree).text
    git(hub.path, 'update-ref', branch('s1'), made)
    hub.promote(Promotion(made, 'request', 50, 50, 0.942), key=signing_key())
    capsys.readouterr()
    assert enpire('status', hub.path) == 0
    told = capsys.readouterr().out
    assert f's1          {made[:10]}  Go slower  (ideas: 1)' in told
    assert 'promotions  1 verified' in told
    forged = '{"promotion": {"commit": "' + 'a' * 40 + '"}}'
    append(hub.path, PROMOTIONS + 'x', hub.main, forged)
    append(hub.path, PROMOTIONS + 'x', hub.main, '{"promotion": 1}')
    assert enpire('status', hub.path) == 1
    told = capsys.readouterr().out
    assert 'problem: somebody, commit aaaaaaaaaa: ' in told
    assert 'problem: somebody, commit : ' in told
    assert 'promotions  1 verified' in told
