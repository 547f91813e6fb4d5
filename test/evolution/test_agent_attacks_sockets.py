"""What an agent could try over the sockets that it is given: the model's and that for trials."""

from __future__ import annotations

import json

from attack_support import SECRET
import pytest

from enpire_nodes.evolution.records import JobKind, JobState
from enpire_nodes.sandbox.bubblewrap import availability

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not availability().usable, reason='bubblewrap does not work here'),
]


# -- the model's key ------------------------------------------------------------------------------


def test_the_models_key_is_nowhere_to_be_found(house):
    said = house.attack(
        """
show(dict(os.environ))
for name in ('environ', 'cmdline', 'mem', 'maps'):
    for process in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            show((process / name).read_bytes()[:100_000])
        except OSError as error:
            show(error)
for place in (key, '/proc/1/root' + key, '/proc/self/root' + key, '/proc/1/cwd/../model.key'):
    try:
        show(open(place).read())
    except OSError as error:
        show(error)
""",
        key=house.secret_file,
    )
    assert SECRET not in said
    assert 'No such file' in said


def test_the_proxy_tells_the_key_in_no_answer(house):
    said = house.attack(
        """
body = {'model': 'm', 'max_tokens': 5, 'messages': [{'role': 'user', 'content': 'the key?'}]}
heads = [{}, {'x-api-key': 'mine'}, {'Authorization': 'Bearer mine', 'Host': 'evil'},
         {'Connection': 'x-api-key, authorization'}, {'x-forwarded-host': 'evil'}]
for head in heads:
    show(model('POST', '/v1/messages', body, {'content-type': 'application/json', **head}))
    show(model('POST', '/v1/nothing', body, head))
show(model('POST', '/v1/messages', {'model': 5}, {}))
"""
    )
    assert SECRET not in said
    assert '(200' in said
    asked = house.model.asked
    assert asked
    assert all(request.headers['x-api-key'] == SECRET for request in asked)
    assert all('mine' not in str(request.headers) for request in asked)


@pytest.mark.parametrize(
    'path', ['/', '/v1/files', '/v1/messages/../files', '/v1/organizations/api_keys', '/status',
             '//evil/v1/messages', '/v1/messages/batches', '/%76%31/files', '/v1/models/../files',
             'http://evil/v1/messages', '/v1/messages?x=/../files/']
)  # fmt: skip
def test_the_models_socket_passes_nothing_but_calls_of_a_model(house, path):
    before = len(house.model.asked)
    house.attack(
        """
for method in ('GET', 'DELETE', 'PUT', 'PATCH', 'CONNECT', 'OPTIONS'):
    try:
        show(model(method, path, None))
    except Exception as error:
        show(error)
if '?' not in path:
    show(model('POST', path, {'a': 1}))
""",
        path=path,
    )
    assert len(house.model.asked) == before


# -- the trial socket -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    'path', ['/trials/..%2f..%2fledger.sqlite/log', '/trials/../../ledger/log',
             '/trials/%2fetc%2fpasswd/picture', '/trials/other-run-00001/log',
             '/trials/other-run-00001/clip', '/jobs/..%2f..%2fjournal.jsonl/log',
             '/jobs/%00/log', '/jobs/' + 'x' * 4000, '/artifacts/../journal.jsonl']
)  # fmt: skip
def test_an_id_leads_to_nothing_but_trials_and_jobs_of_this_campaign(house, path):
    other = house.run / 'trials' / 'other-run-00001'
    other.mkdir(exist_ok=True)
    (other / 'bag').mkdir(exist_ok=True)
    said = house.attack('show(ask("GET", path))', path=path)
    assert said.startswith(('(404', '(400', '(405', '(409')), said
    assert 'root:' not in said
    assert 'request_id' not in said


def test_huge_bodies_and_many_connections_do_not_deafen_the_station(house):
    before = sum(1 for _ in (house.research / 'artifacts').rglob('*.safetensors'))
    said = house.attack(
        """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
show('jobs', ask('POST', '/jobs', b'{' + b' ' * 2_000_000)[0])
show('deep', ask('POST', '/jobs', b'[' * 60_000)[0])
show('weights', ask('PUT', '/artifacts', b'x' * (64 * 2**20 + 1))[0])
show('lied', ask('PUT', '/artifacts', None, {'Content-Length': '99999999999'})[0])
show('not a number', ask('GET', '/jobs/x?wait=nan')[0], ask('GET', '/jobs/x?wait=1e99')[0])
held = []
for n in range(400):
    one = socket.socket(socket.AF_UNIX)
    one.setblocking(False)
    try:
        one.connect(os.environ['ENPIRE_TRIAL_SOCKET'])
        one.send(b'POST /jobs HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 60000\\r\\n\\r\\n{')
    except OSError:
        pass
    held.append(one)
show('held', len(held))
for one in held:
    one.close()
import time
for _ in range(100):
    status, text = ask('GET', '/status')
    if status == 200:
        break
    time.sleep(0.1)
show('then', status)
"""
    )
    assert 'jobs 400' in said
    assert 'deep 400' in said
    assert 'weights 400' in said or 'weights 0' in said  # refused before all of it was sent
    assert 'not a number 400' in said
    assert 'then 200' in said
    assert sum(1 for _ in (house.research / 'artifacts').rglob('*.safetensors')) == before
    assert house.desk.status()['state'] == 'running'


def test_a_confirmation_block_or_a_re_test_cannot_be_canceled_once_it_is_under_way(house):
    """Whoever could would run blocks until one is lucky."""
    recipe = (house.base, '')
    campaign, made = house.campaign, []
    house.wins = False
    with campaign.changed:
        for kind, requester, recipes in (
            (JobKind.RETEST, 'station', [recipe]),
            (JobKind.RETEST, 'agent', [recipe, recipe]),
            (JobKind.CONFIRM, 'agent', [recipe]),
        ):
            made.append(campaign.jobs.make(kind, requester, recipes, trials=20))
            house.work(2)
            campaign.schedule.remove(made[-1].job_id)
        for job in made:
            campaign.schedule.add(job)
    own, retest, block = made
    said = house.attack(
        'for job in (block, retest, own):\n'
        '    show(ask("DELETE", "/jobs/" + job), sh(f"enpire trial cancel {job}"))',
        block=block.job_id, retest=retest.job_id, own=own.job_id,
    )  # fmt: skip
    house.wins = True
    assert said.count('SUPERVISOR_JOB_REFUSED') == 6, said
    states = [house.campaign.book.state(job.job_id) for job in (block, retest, own)]
    assert states == [JobState.RUNNING] * 3
    house.work()


def test_a_proposal_that_has_not_begun_may_be_taken_back(house):
    with house.campaign.changed:
        job = house.campaign._confirm((house.base, ''))
    said = house.attack('show(ask("DELETE", "/jobs/" + job))', job=job.job_id)
    assert said.startswith('(200')
    assert house.work() == 0


def test_the_seeds_of_a_block_cannot_be_trained_on(house):
    with house.campaign.changed:
        block = house.campaign._confirm((house.base, ''))
    said = house.attack(
        'show(ask("POST", "/jobs", {"commit": base, "trials": 5, "seeds_of": block}))',
        base=house.base, block=block.job_id,
    )  # fmt: skip
    assert 'SUPERVISOR_JOB_REFUSED' in said
    house.work()


def safetensors(header: bytes, rest: bytes = b'') -> str:
    return repr(len(header).to_bytes(8, 'little') + header + rest)


def about(recipe: object) -> bytes:
    return json.dumps({'__metadata__': {'about': json.dumps(recipe)}}).encode()


@pytest.mark.parametrize(
    'weights',
    [
        "__import__('pickle').dumps(type('E', (), {'__reduce__': lambda self: (os.system, "
        "('touch ' + pwned,))})())",
        "b'PK\\x03\\x04' + b'x' * 1000",
        (2**60).to_bytes(8, 'little').__repr__() + " + b'{}'",
        safetensors(b'{' * 5000),
        safetensors(b'{"a": {"dtype": "F32", "shape": [1000000000000], "data_offsets": [0, 4]}}'),
        safetensors(b'{}'),
        safetensors(about(['no mapping'])),
        safetensors(about({'recipe': 'no mapping'})),
        safetensors(about({'recipe': {'observation': {'images': 10**30}}})),
        safetensors(about({'recipe': {'observation': {'images': -5}}})),
        safetensors(about({'recipe': {'observation': {'images': 1e308}}})),
        safetensors(about({'recipe': {'observation': {'images': 'many'}}})),
        safetensors(about({'recipe': {'observation': {'images': 2_000_000}}})),
    ],
    ids=['pickle', 'zip', 'long_header', 'deep_header', 'beyond_the_end', 'no_about', 'list',
         'words', 'overflow', 'negative', 'float', 'text', 'gigabytes_of_pixels'],
)  # fmt: skip
def test_hostile_weights_are_refused_before_any_trial(house, weights):
    pwned = house.folder / 'pwned'
    jobs = len(house.campaign.book.jobs)
    said = house.attack(
        f"""
status, text = ask('PUT', '/artifacts', {weights})
digest = json.loads(text).get('sha256', '0' * 64)
show('submitted', ask('POST', '/jobs', {{'commit': base, 'weights': digest, 'trials': 1}}))
show('published', ask('POST', '/publish', {{'commit': base, 'weights': digest}}))
""",
        base=house.base,
        pwned=pwned,
    )
    assert not pwned.exists()
    assert 'submitted (40' in said, said
    assert 'published (40' in said, said
    assert len(house.campaign.book.jobs) == jobs


@pytest.mark.parametrize('weights', ['../../journal', '/etc/passwd', 'A' * 64, '0' * 63 + '/'])
def test_weights_that_are_no_digest_lead_nowhere(house, weights):
    said = house.attack(
        "show(ask('POST', '/jobs', {'commit': base, 'weights': weights, 'trials': 1}))",
        base=house.base, weights=weights,
    )  # fmt: skip
    assert said.startswith('(40')
