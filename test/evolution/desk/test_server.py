"""The socket answers what the desk says, and says clearly what it cannot do."""

from concurrent.futures import ThreadPoolExecutor
import http.client
import json
import socket
import stat
import threading
import time

from desk_double import COMMIT, DeskDouble, served
from motion_support import attempt_record, rows, trial_record, write_bag
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.desk import routes
from enpire_nodes.evolution.desk.server import DeskServer
from enpire_nodes.evolution.desk.views import ArmView, TrialAsk
from enpire_nodes.evolution.tool.client import DeskClient
from enpire_nodes.rollout.records import TrialOutcome, TrialRecord


@pytest.fixture
def desk():
    return DeskDouble()


@pytest.fixture
def path(desk):
    with served(desk) as path:
        yield path


@pytest.fixture
def client(path):
    return DeskClient(path)


def ask_raw(path, method, route, body=b'', **headers):
    link = http.client.HTTPConnection('localhost', timeout=30)
    link.sock = socket.socket(socket.AF_UNIX)
    link.sock.settimeout(30)
    link.sock.connect(str(path))
    link.request(method, route, body=body, headers=headers)
    reply = link.getresponse()
    answer = reply.status, reply.read()
    link.close()
    return answer


def test_only_its_owner_may_connect(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ('method', 'route', 'status', 'words'),
    [
        ('GET', '/nothing', 404, 'Not Found'),
        ('DELETE', '/status', 405, 'Method Not Allowed'),
        ('POST', '/jobs', 400, 'the body is no JSON'),
        ('GET', '/jobs/none', 404, 'no job none'),
        ('GET', '/jobs/none?wait=soon', 400, 'wait must be a number'),
        ('GET', '/trials/..%2F..%2Fx/log', 404, 'no trial'),
        ('PUT', '/artifacts', 400, 'the body is empty'),
    ],
)
def test_what_cannot_be_done_is_said(path, method, route, status, words):
    got, body = ask_raw(path, method, route)
    assert got == status
    answer = json.loads(body)
    assert words in answer['message']
    assert answer['error'] in ErrorCode.__members__


def test_a_body_that_is_too_long_is_refused(path):
    status, body = ask_raw(path, 'POST', '/ideas', b' ' * (2**16 + 1))
    assert (status, json.loads(body)['error']) == (400, 'SUPERVISOR_BAD_REQUEST')


def test_a_defect_is_one_answer_and_the_socket_lives_on():
    desk, heard = DeskDouble(), []
    desk.defect = RuntimeError('boom')
    with served(desk, log=heard.append) as path:
        with pytest.raises(StationError, match='boom') as caught:
            DeskClient(path).status()
        assert caught.value.code is ErrorCode.SUPERVISOR_INTERNAL
        assert 'boom' in heard[0]
        desk.defect = None
        assert DeskClient(path).status()['campaign'] == 'night'


def test_a_wait_ends_when_the_job_does(desk, client):
    job = client.submit(TrialAsk(COMMIT))
    begun = threading.Event()

    def wait():
        begun.set()
        return client.job(job.job_id, wait=10.0)

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(wait)
        assert begun.wait(10.0)
        desk.finish(job.job_id)
        assert answer.result(60.0).state == 'done'


def test_a_wait_is_cut_short(desk, client, monkeypatch):
    monkeypatch.setattr(routes, '_LONGEST_WAIT', 0.2)
    job = client.submit(TrialAsk(COMMIT))
    begun = time.monotonic()
    assert client.job(job.job_id, wait=1000.0).state == 'queued'
    assert time.monotonic() - begun < 500.0


def test_too_many_at_a_time_are_sent_away(desk, client, monkeypatch):
    monkeypatch.setattr(routes, '_MOST', 0)
    with pytest.raises(StationError) as caught:
        client.status()
    assert caught.value.code is ErrorCode.SUPERVISOR_BUSY


def test_the_log_of_a_job_tells_of_its_failures(desk, client):
    job = client.submit(TrialAsk(COMMIT))
    outcomes = [TrialOutcome.FAILURE] * 5 + [TrialOutcome.SUCCESS]
    for index, outcome in enumerate(outcomes):
        desk.records[f't{index}'] = TrialRecord(f't{index}', outcome=outcome, message='missed')
    arm = ArmView(COMMIT, 'wider', trial_ids=list(desk.records))
    desk.finish(job.job_id, arms=(arm,))
    text = client.job_log(job.job_id)
    assert '5 of 6 trials did not succeed' in text
    assert text.index('trial t4') < text.index('trial t3')
    assert 't0: no attempt was made: missed' in text
    assert 't5' not in text


def test_it_closes_while_somebody_waits_and_leaves_no_socket(desk, tmp_path):
    with served(desk) as path:
        job = DeskClient(path).submit(TrialAsk(COMMIT))
        pool = ThreadPoolExecutor(1)
        asked, look = threading.Event(), desk.job
        desk.job = lambda name, *, wait: (asked.set(), look(name, wait=wait))[1]
        waiting = pool.submit(DeskClient(path).job, job.job_id, wait=10.0)
        assert asked.wait(30.0)
    pool.shutdown()
    assert waiting.done()
    assert not path.exists()


def test_a_stale_socket_is_replaced_and_a_long_name_refused(desk, tmp_path):
    with served(desk) as path:
        second = DeskServer(path, desk)
        second.start()
        assert DeskClient(path).status()['campaign'] == 'night'
        second.close()
        second.close()
    with pytest.raises(StationError, match='shorter --run'):
        DeskServer(tmp_path / ('x' * 120), desk).start()


def test_a_place_that_cannot_be_used_is_said(desk, tmp_path):
    (tmp_path / 'file').write_text('in the way')
    with pytest.raises(StationError, match='the trial socket') as caught:
        DeskServer(tmp_path / 'file' / 't.sock', desk).start()
    assert caught.value.code is ErrorCode.SUPERVISOR_SOCKET_FAILED


def test_weights_that_are_too_large_are_refused(path, client, monkeypatch):
    monkeypatch.setattr(routes, 'MOST_BYTES', 1000)
    with pytest.raises(StationError, match='the body has more than') as caught:
        client.store(b'x' * 1001)
    assert caught.value.code is ErrorCode.SUPERVISOR_BAD_REQUEST
    assert len(client.store(b'x' * 1000)) == 64


def test_a_trial_is_shown_in_words_pictures_and_a_film(desk, client, tmp_path):
    rows_of = rows([(0.002, 0, 0.03), (0.002, 0, 0)], [(0, 0, 0), (0, 0, 12)])
    desk.records['t'] = trial_record(attempt_record())
    desk.bags['t'] = write_bag(tmp_path / 'bag', {1: rows_of}, pictures=5)
    assert 'why: touched 2.0 mm off' in client.trial_log('t')
    assert client.picture('t', camera='front', moment=0.2).startswith(b'\x89PNG')
    content, kind = client.clip('t')
    assert (kind, content[4:8]) == ('video/mp4', b'ftyp')
