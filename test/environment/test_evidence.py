"""Evidence on the way to a judge, to a file and back."""

from dataclasses import fields, replace
import io
import json
import zipfile

import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import ArmState, Frame
from enpire_nodes.environment.evidence import Evidence, judge, judge_timed, load, save


def state(stamp):
    values = np.random.default_rng(int(stamp * 1000)).standard_normal(15)
    return ArmState(
        stamp, values[:3], values[3:7], values[7:10], values[10:13], values[13], values[14]
    )


def evidence(**changes):
    rng = np.random.default_rng(1)

    def frames(stamps):
        return tuple(
            Frame(stamp, rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)) for stamp in stamps
        )

    whole = Evidence(
        frames={'side': frames((2.1, 2.2, 2.3)), 'front': frames((2.15, 2.25))},
        states=tuple(state(0.1 * index) for index in range(5)),
        settle_start=0.0,
        settled=2.0,
        now=2.4,
        source='simulated on_rim 7',
        kind='on_rim',
        label=False,
    )
    return replace(whole, **changes)


class Listener:
    """A judge that keeps what it is shown."""

    def __init__(self):
        self.heard = []

    def add_frame(self, name, frame):
        self.heard.append((name, frame.stamp))

    def add_arm_state(self, state):
        self.heard.append(('state', state.stamp))

    def ready(self, **window):
        self.heard.append(('ready', window))

    def decide(self, **window):
        self.heard.append(('decide', window))
        return 'decided'


def test_a_judge_is_shown_everything_in_the_order_of_time_and_decides_last():
    listener = Listener()
    assert judge(listener, evidence()) == 'decided'
    shown = [entry for entry in listener.heard if entry[0] in ('side', 'front')]
    assert shown == [('side', 2.1), ('front', 2.15), ('side', 2.2), ('front', 2.25), ('side', 2.3)]
    assert [entry[0] for entry in listener.heard[:5]] == ['state'] * 5
    window = {'settle_start': 0.0, 'settled': 2.0}
    assert listener.heard[-2] == ('ready', window)
    assert listener.heard[-1] == ('decide', window | {'now': 2.4})


def test_only_the_last_picture_and_the_decision_count_as_waiting(monkeypatch):
    ticks = iter(range(100))
    monkeypatch.setattr(
        'enpire_nodes.environment.evidence.time.perf_counter', lambda: float(next(ticks))
    )
    assert judge_timed(Listener(), evidence()) == ('decided', 1.0)


@pytest.mark.parametrize('label', [True, False, None])
def test_a_file_brings_back_what_was_saved(tmp_path, label):
    saved = evidence(label=label)
    save(saved, tmp_path / 'new' / 'one.npz')
    read = load(tmp_path / 'new' / 'one.npz')
    assert read.label is label
    for name in ('settle_start', 'settled', 'now', 'source', 'kind'):
        assert getattr(read, name) == getattr(saved, name)
    assert list(read.frames) == ['side', 'front']
    for name, frames in saved.frames.items():
        assert [frame.stamp for frame in read.frames[name]] == [frame.stamp for frame in frames]
        for first, second in zip(read.frames[name], frames, strict=True):
            np.testing.assert_array_equal(first.image, second.image)
    for first, second in zip(read.states, saved.states, strict=True):
        for field in fields(ArmState):
            np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name))


def test_evidence_without_pictures_and_states_can_be_saved(tmp_path):
    save(evidence(frames={'side': ()}, states=()), tmp_path / 'empty.npz')
    read = load(tmp_path / 'empty.npz')
    assert read.frames == {'side': ()}
    assert read.states == ()


def test_equal_evidence_makes_equal_files_and_other_evidence_others(tmp_path):
    first = save(evidence(), tmp_path / 'a.npz')
    assert save(evidence(), tmp_path / 'b.npz') == first
    assert save(evidence(label=True), tmp_path / 'c.npz') != first
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a.npz', 'b.npz', 'c.npz']


def rewritten(content, name, change):
    """Return the file with one of its arrays changed."""
    with np.load(io.BytesIO(content)) as arrays:
        parts = dict(arrays)
    parts[name] = change(parts[name])
    buffer = io.BytesIO()
    np.savez(buffer, **{key: part for key, part in parts.items() if part is not None})
    return buffer.getvalue()


def about(**changes):
    def change(text):
        return np.array(json.dumps(json.loads(str(text)) | changes))

    return lambda content: rewritten(content, 'about', change)


def flipped(content):
    """Return the file with a byte of its largest array changed."""
    largest = max(zipfile.ZipFile(io.BytesIO(content)).infolist(), key=lambda i: i.compress_size)
    place = largest.header_offset + largest.compress_size // 2
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


@pytest.mark.parametrize(
    'damage',
    [
        lambda content: b'',
        lambda content: b'no evidence at all',
        lambda content: content[: len(content) // 2],
        flipped,
        about(version=2),
        about(label=1),
        about(label='yes'),
        about(settled=None),
        about(cameras=['side', 'top']),
        lambda content: rewritten(content, 'about', lambda _: np.array('{')),
        lambda content: rewritten(content, 'about', lambda _: None),
        lambda content: rewritten(content, 'about', lambda _: np.array({'a': 1}, dtype=object)),
        lambda content: rewritten(content, 'states', lambda rows: rows[:, :15]),
        lambda content: rewritten(content, 'frames/side', lambda images: images.astype(float)),
        lambda content: rewritten(content, 'stamps/side', lambda stamps: stamps[:-1]),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path, damage):
    path = tmp_path / 'one.npz'
    save(evidence(), path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(StationError, match=r'one\.npz') as caught:
        load(path)
    assert caught.value.code is ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(StationError, match=r'none\.npz') as caught:
        load(tmp_path / 'none.npz')
    assert caught.value.code is ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE
