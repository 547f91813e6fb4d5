"""Pictures of a run: how success went, what the cameras saw, and the station at work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from enpire_nodes.cli.scores import Score
from enpire_nodes.rollout.statistics import lower_bound, upper_bound

_COLOURS = ('#9a6a00', '#0b7a75', '#5b3a8e', '#a33b20')


def plot_success(rows: Sequence[Score], path: Path, *, title: str) -> None:
    """Draw the success rate at the first attempt over the trials, with its bounds.

    :param path: of the PNG file.
    """
    import matplotlib as mpl

    mpl.use('Agg')
    import matplotlib.pyplot as plt

    figure, (axes, bars) = plt.subplots(
        1, 2, figsize=(10, 4.2), width_ratios=(3, 1), layout='constrained'
    )
    for row, colour in zip(rows, _COLOURS * len(rows), strict=False):
        counted = [trial for trial in row.trials if trial.counted]
        hits = np.cumsum([trial.first_attempt_success for trial in counted])
        number = np.arange(1, len(counted) + 1)
        axes.plot(number, hits / number, color=colour, label=f'{row.name}, pass@1')
        low = [lower_bound(int(h), int(n)) for h, n in zip(hits, number, strict=True)]
        high = [upper_bound(int(h), int(n)) for h, n in zip(hits, number, strict=True)]
        axes.fill_between(number, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set(xlabel='trial', ylabel='success rate so far', ylim=(-0.02, 1.02), title=title)
    axes.legend(loc='lower right', frameon=False)
    axes.grid(alpha=0.2)
    _draw_bars(bars, rows)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _draw_bars(axes: object, rows: Sequence[Score]) -> None:
    attempts = max((trial.max_attempts for row in rows for trial in row.trials), default=1)
    for index, (row, colour) in enumerate(zip(rows, _COLOURS * len(rows), strict=False)):
        pairs = [row.first_counts, row.counts]
        for shift, (successes, trials), alpha in zip((-0.2, 0.2), pairs, (1.0, 0.45), strict=True):
            rate = successes / trials if trials else 0.0
            error = [
                [rate - lower_bound(successes, trials)],
                [upper_bound(successes, trials) - rate],
            ]
            axes.bar(index + shift, rate, 0.36, color=colour, alpha=alpha)
            axes.errorbar(index + shift, rate, yerr=error, color='black', capsize=3, linewidth=0.8)
    axes.set_xticks(range(len(rows)), [row.name for row in rows])
    axes.set(ylim=(0, 1.02), title=f'pass@1 | pass@{attempts}')


def save_frames(bag: Path, path: Path, *, moments: Sequence[float], scale: int = 2) -> bool:
    """Lay out what each camera saw at some moments of a trial, from its bag.

    :param bag: directory of the bag.
    :param path: of the PNG file.
    :param moments: shares of the trial's length, 0 to 1.
    :param scale: of the pictures.
    :return: whether the bag held compressed pictures.
    """
    import cv2

    from enpire_nodes.evolution.accounts.frames import compressed_frames

    cameras = compressed_frames(bag)
    columns = []
    for name, frames in sorted(cameras.items()):
        shown = [frames[round(share * (len(frames) - 1))] for share in moments]
        pictures = [
            cv2.imdecode(np.frombuffer(shot.content, np.uint8), cv2.IMREAD_COLOR) for shot in shown
        ]
        if any(picture is None for picture in pictures):
            continue
        tall = [
            cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            for picture in pictures
        ]
        for picture in tall[:1]:
            cv2.putText(
                picture, name, (12, 28), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2,
                cv2.LINE_AA,
            )  # fmt: skip
        columns.append(np.hstack(tall))
    if not columns:
        return False
    width = min(column.shape[1] for column in columns)
    cv2.imwrite(str(path), np.vstack([column[:, :width] for column in columns]))
    return True
