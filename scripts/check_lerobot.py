"""What ``lerobot`` makes of our datasets; run by ``test_lerobot.py`` where lerobot is installed.

Nothing of enpire is imported here.
"""

from itertools import pairwise
import json
import logging
from pathlib import Path
import shutil
import sys
import warnings

import numpy as np

warnings.filterwarnings('ignore', message='Cannot enable progress bars')
logging.disable(logging.WARNING)  # lerobot tells at length that no video can be decoded

import datasets  # noqa: E402
from lerobot.datasets.compute_stats import get_feature_stats  # noqa: E402
from lerobot.datasets.lerobot_dataset import LeRobotDataset  # noqa: E402
import torch  # noqa: E402

RATE = 30
STANDARD = {'timestamp', 'frame_index', 'episode_index', 'index', 'task_index'}


def main(plan: Path) -> int:
    """Check every dataset of a plan; return the exit code."""
    failed = 0
    for item in json.loads(plan.read_text()):
        dataset, spoiled = plan.parent / item['dataset'], 'notice' in item
        with np.load(plan.parent / item['expected']) as data:
            wanted = {name: data[name] for name in data.files}
        try:
            check(dataset, wanted)
            if 'remade' in item:
                agree(dataset, plan.parent / item['remade'], wanted)
            problem = ''
        except Exception as error:  # of a spoiled dataset, anything may be raised
            problem = f'{type(error).__name__}: {error}'
            if not spoiled:
                logging.getLogger().critical(dataset.name, exc_info=True)
        good = item['notice'] in problem if spoiled else not problem
        failed += not good
        words = ' '.join(problem.split())[:100]
        print(f'{"ok" if good else "WRONG"}: {dataset.name} {words or "holds"}', flush=True)
    return 1 if failed else 0


def check(root: Path, wanted: dict[str, np.ndarray]) -> None:
    """Raise AssertionError unless lerobot finds in a dataset what is wanted."""
    episodes = 1 + max(int(name.partition('/')[0]) for name in wanted)
    names = sorted({name.partition('/')[2] for name in wanted})
    lengths = [len(wanted[f'{episode}/action']) for episode in range(episodes)]
    dataset = LeRobotDataset('local/enpire', root=root)
    assert dataset.num_episodes == episodes
    assert len(dataset) == dataset.num_frames == sum(lengths)
    assert dataset.fps == RATE
    assert set(dataset.meta.features) == STANDARD | set(names)

    frame = 0
    for episode, length in enumerate(lengths):
        for number in range(length):
            item = dataset[frame]
            assert (item['episode_index'], item['frame_index']) == (episode, number)
            assert item['task'] == 'insert the pin'
            np.testing.assert_allclose(item['timestamp'], number / RATE, atol=1e-6)
            for name in names:
                same(item[name], wanted[f'{episode}/{name}'][number], name)
            frame += 1

    check_statistics(dataset, {name: all_rows(wanted, name, episodes) for name in names})
    check_windows(root, wanted, lengths)
    check_batches(root, names)
    bare = datasets.Dataset.from_parquet([str(path) for path in (root / 'data').glob('*/*')])
    assert bare.features == dataset.hf_dataset.features
    succeeded = [e for e in range(episodes) if wanted[f'{e}/next.success'].any()]
    chosen = LeRobotDataset(
        'local/enpire', root=root, episode_filter=lambda e: e['enpire/verdict'] == 'success'
    )
    assert chosen.episodes == succeeded
    assert len(chosen) == sum(lengths[e] for e in succeeded)


def check_statistics(dataset: LeRobotDataset, columns: dict[str, np.ndarray]) -> None:
    """Hold the statistics against those that lerobot works out of all frames at once."""
    stats = dataset.meta.stats
    assert set(stats) == set(dataset.meta.features)
    for name, rows in columns.items():
        if 'images' in name:
            channels_first = rows.astype(float).transpose(0, 3, 1, 2)
            known = get_feature_stats(channels_first, (0, 2, 3), keepdims=True)
            known = {k: v if k == 'count' else v[0] / 255 for k, v in known.items()}
        else:
            # lerobot's difference of squares loses a clock's spread: it is given that of the start
            start = rows[0] if name == 'enpire.stamp' else 0
            known = get_feature_stats(rows.astype(float) - start, 0, keepdims=rows.ndim == 1)
            known |= {key: known[key] + start for key in ('min', 'max', 'mean')}
        assert set(stats[name]) == set(known), name
        for key, value in known.items():
            ours = stats[name][key]
            assert ours.shape == value.shape, (name, key, ours.shape, value.shape)
            if not key.startswith('q'):
                tolerance = 1e-5 * max(1, float(np.abs(value).max()))
                np.testing.assert_allclose(
                    ours, value, rtol=1e-4, atol=tolerance, err_msg=f'{name} {key}'
                )
        quantiles = [stats[name][key] for key in ('min', 'q01', 'q10', 'q50', 'q90', 'q99', 'max')]
        assert all((low <= high).all() for low, high in pairwise(quantiles)), name


def check_windows(root: Path, wanted: dict[str, np.ndarray], lengths: list[int]) -> None:
    """Look before and behind each frame, up to the ends of its episode."""
    offsets = {'action': [0, 1, 2, 3], 'observation.state': [-2, -1, 0]}
    times = {name: [k / RATE for k in steps] for name, steps in offsets.items()}
    dataset = LeRobotDataset('local/enpire', root=root, delta_timestamps=times)
    frame = 0
    for episode, length in enumerate(lengths):
        for number in range(length):
            item = dataset[frame]
            for name, steps in offsets.items():
                at = number + np.array(steps)
                outside = (at < 0) | (at >= length)
                rows = wanted[f'{episode}/{name}'][at.clip(0, length - 1)]
                same(item[name], rows, name)
                assert (item[f'{name}_is_pad'].numpy() == outside).all(), (frame, name)
            frame += 1


def check_batches(root: Path, names: list[str]) -> None:
    """Take what a training loop takes."""
    times = {'action': [k / RATE for k in range(8)]}
    dataset = LeRobotDataset('local/enpire', root=root, delta_timestamps=times)
    loader = torch.utils.data.DataLoader(dataset, batch_size=16, shuffle=True, num_workers=1)
    batch = next(iter(loader))
    assert batch['action'].shape == (16, 8, 3)
    for name in names:
        assert len(batch[name]) == 16
        if 'images' in name:
            assert batch[name].shape == (16, 3, 32, 32)
            assert batch[name].dtype == torch.float32


def agree(ours: Path, remade: Path, wanted: dict[str, np.ndarray]) -> None:
    """Let lerobot write the same frames, and compare values, types and statistics."""
    source = LeRobotDataset('local/enpire', root=ours)
    features = {k: v for k, v in source.meta.features.items() if k not in STANDARD}
    shutil.rmtree(remade, ignore_errors=True)
    made = LeRobotDataset.create(
        'local/enpire', fps=RATE, features=features, root=remade, use_videos=False
    )
    for episode in range(source.num_episodes):
        for number in range(len(wanted[f'{episode}/action'])):
            frame = {name: wanted[f'{episode}/{name}'][number] for name in features}
            scalar = {k: np.atleast_1d(v) for k, v in frame.items() if np.ndim(v) == 0}
            made.add_frame({**frame, **scalar, 'task': 'insert the pin'})
        made.save_episode()
    made.finalize()
    made = LeRobotDataset('local/enpire', root=remade)
    assert made.hf_dataset.features == source.hf_dataset.features
    assert made.meta.info.splits == source.meta.info.splits
    assert list(made.meta.tasks.index) == list(source.meta.tasks.index)
    columns = set(made.meta.episodes.features)
    assert columns <= set(source.meta.episodes.features), columns
    for theirs, mine in zip(made.meta.episodes, source.meta.episodes, strict=True):
        assert all(theirs[name] == mine[name] for name in columns), (theirs, mine)
    for index in range(len(made)):
        theirs, mine = made[index], source[index]
        assert set(theirs) == set(mine)
        for name, value in theirs.items():
            assert value == mine[name] if isinstance(value, str) else (value == mine[name]).all()
    for name, stats in made.meta.stats.items():
        for key in ('min', 'max', 'mean', 'std', 'count') if 'images' not in name else ('count',):
            value = source.meta.stats[name][key]
            assert value.shape == stats[key].shape, (name, key)
            # lerobot finds a variance as a difference of float32 squares
            tolerance = 2e-3 * max(1e-3, float(np.abs(stats[key]).max()))
            if name != 'enpire.stamp' or key in ('min', 'max', 'count'):
                np.testing.assert_allclose(value, stats[key], rtol=1e-3, atol=tolerance)


def same(found: torch.Tensor, wanted: np.ndarray, name: str) -> None:
    """Compare a value of a frame with what was exported."""
    values = found.numpy()
    if 'images' in name:
        values = np.round(values * 255).astype(np.uint8).transpose(1, 2, 0)
    np.testing.assert_array_equal(values, np.asarray(wanted).astype(values.dtype), err_msg=name)


def all_rows(wanted: dict[str, np.ndarray], name: str, episodes: int) -> np.ndarray:
    """Put the rows of all episodes together."""
    return np.concatenate([wanted[f'{episode}/{name}'] for episode in range(episodes)])


if __name__ == '__main__':
    sys.exit(main(Path(sys.argv[1])))
