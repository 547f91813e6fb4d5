"""``enpire recover`` as a person sees it."""

import argparse

import pytest
from trial_support import open_trial, write_bag

from enpire_nodes.cli import recover
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.recording.writer import BagSettings


@pytest.fixture
def enpire(capsys):
    def call(*arguments):
        parser = argparse.ArgumentParser()
        recover.add_parser(parser.add_subparsers())
        parsed = parser.parse_args(['recover', *map(str, arguments)])
        code = parsed.run(parsed)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def crashed(tmp_path):
    with Ledger(tmp_path, station='s', owner='victim') as ledger:
        ledger.start_trial(open_trial())
        settings = BagSettings(chunk_size=2048)
        write_bag(ledger.run.bag('trial_1'), 400, close=False, settings=settings).abandon()
    return tmp_path


def test_it_says_what_it_saved_and_then_that_nothing_is_left_to_do(enpire, crashed):
    code, out, _ = enpire('--run', crashed)
    assert code == 0
    assert 'messages saved' in out
    assert 'trial_1: closed as INTERRUPTED' in out
    code, out, _ = enpire('--run', crashed)
    assert code == 0
    assert 'nothing to do' in out


def test_it_refuses_while_a_runner_works(enpire, crashed):
    with Ledger(crashed, station='s', owner='/station_1/trial_runner'):
        code, _, error = enpire('--run', crashed)
    assert code == 1
    assert '/station_1/trial_runner, process' in error
    assert not (crashed / 'trials' / 'trial_1' / 'bag' / 'metadata.yaml').exists()


def test_a_bag_beyond_help_fails_the_command_and_is_named(enpire, crashed):
    (crashed / 'trials' / 'trial_1' / 'bag' / 'bag_0.mcap').write_bytes(b'garbage')
    code, out, _ = enpire('--run', crashed)
    assert code == 1
    assert 'nothing can be saved' in ' '.join(out.split())
    assert 'closed as INTERRUPTED' in out
