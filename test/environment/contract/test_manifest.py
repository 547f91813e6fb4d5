"""A manifest is read as it was signed, or not at all."""

from collections.abc import Callable
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract import signing
from enpire_nodes.environment.contract.manifest import load_manifest, manifest_text


def rewrite(bench, change: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads(bench.manifest_file.read_text())
    change(data)
    bench.manifest_file.write_text(json.dumps(data))


def refusal(bench) -> StationError:
    with pytest.raises(StationError) as caught:
        load_manifest(bench.manifest_file, keys=bench.keys)
    assert str(bench.manifest_file) in caught.value.message
    return caught.value


def test_what_was_frozen_is_read_again_with_the_same_digest(bench):
    frozen = bench.freeze()
    read = load_manifest(bench.manifest_file, keys=bench.keys)
    assert read == frozen
    assert read.digest == frozen.digest
    assert len(read.digest) == 64


def test_its_form_is_free_and_its_content_is_not(bench):
    frozen = bench.freeze()
    rewrite(bench, lambda data: None)  # other white space, same content
    assert load_manifest(bench.manifest_file, keys=bench.keys).digest == frozen.digest


@pytest.mark.parametrize(
    'field', ['task', 'acceptance', 'frozen_at', 'frozen_by', 'files', 'digests', 'parameters']
)
def test_any_field_that_was_changed_breaks_the_signature(bench, field):
    bench.freeze()
    rewrite(bench, lambda data: data['manifest'].update({field: 'else'}))
    error = refusal(bench)
    assert error.code is ErrorCode.ENVIRONMENT_SIGNATURE_BAD
    assert 'changed after it was frozen' in error.message


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (lambda data: data.pop('signature'), 'exactly the keys'),
        (lambda data: data.update(public_key='x'), 'exactly the keys'),
        (lambda data: data['manifest'].pop('files'), 'exactly the keys'),
        (lambda data: data['manifest'].update(extra=1), 'exactly the keys'),
        (lambda data: data['manifest'].update(schema='enpire/2'), 'schema'),
        (lambda data: data['signature'].update(public_key='x'), 'exactly the keys'),
    ],
)
def test_another_form_is_refused(bench, change, words):
    bench.freeze()
    rewrite(bench, change)
    error = refusal(bench)
    assert error.code is ErrorCode.ENVIRONMENT_MANIFEST_INVALID
    assert words in error.message


@pytest.mark.parametrize('text', ['', '[]', '{"manifest": 1', '{"a": 1, "a": 2}', '[' * 10000])
def test_what_is_no_manifest_is_refused(bench, text):
    bench.freeze()
    bench.manifest_file.write_text(text)
    assert refusal(bench).code is ErrorCode.ENVIRONMENT_MANIFEST_INVALID


def test_what_is_no_number_is_refused(bench):
    bench.freeze()
    rewrite(bench, lambda data: data['manifest']['parameters'].update(driver=float('nan')))
    error = refusal(bench)
    assert error.code is ErrorCode.ENVIRONMENT_MANIFEST_INVALID
    assert 'NaN is no number' in error.message


def test_a_missing_manifest_is_named(bench):
    assert refusal(bench).code is ErrorCode.ENVIRONMENT_MANIFEST_INVALID


def test_a_manifest_brings_no_trust_in_its_own_key(bench):
    frozen = bench.freeze()
    signature = signing.sign(frozen.content(), Ed25519PrivateKey.generate())
    bench.manifest_file.write_text(manifest_text(frozen, signature))
    error = refusal(bench)
    assert error.code is ErrorCode.ENVIRONMENT_SIGNATURE_BAD
    assert 'not trusted here' in error.message
