"""The contact sheet of an attempt: its last pictures of every camera, and the force."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from enpire_nodes.environment.evidence import Evidence

_PICTURES = 3  # of each camera
_AXES = ('x', 'y', 'z')


def contact_sheet(evidence: Evidence, path: Path, *, title: str) -> None:
    """Draw what the judge was shown at an attempt; nothing on it says what the judge decided.

    :param path: of the PNG file.
    """
    import matplotlib as mpl

    mpl.use('Agg')
    import matplotlib.pyplot as plt

    rows = len(evidence.frames) + 1
    figure, axes = plt.subplots(
        rows, _PICTURES, figsize=(3.6 * _PICTURES, 2.8 * rows), layout='constrained', squeeze=False
    )
    figure.suptitle(title)
    for row, (name, frames) in zip(axes, sorted(evidence.frames.items()), strict=False):
        for place, frame in zip(row, frames[-_PICTURES:], strict=False):
            place.imshow(frame.image)
            after = frame.stamp - evidence.settled
            place.set_title(f'{name}, {after:.2f} s after the arm had settled', fontsize=8)
        for place in row:
            place.axis('off')
    _draw_forces(figure, axes[-1], evidence)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw_forces(figure: object, row: np.ndarray, evidence: Evidence) -> None:
    spec = row[0].get_subplotspec().get_gridspec()
    for place in row:
        place.remove()
    plot, grip = figure.add_subplot(spec[-1, :2]), figure.add_subplot(spec[-1, 2])
    times = np.array([state.stamp for state in evidence.states]) - evidence.settle_start
    forces = np.array([state.force for state in evidence.states]).reshape(-1, 3)
    for axis, values in zip(_AXES, forces.T, strict=True):
        plot.plot(times, values, label=axis, linewidth=0.9)
    plot.set(xlabel='s since the policy ended', ylabel='force on the tool (N)')
    plot.legend(loc='upper right', frameon=False, ncols=3, fontsize=8)
    plot.grid(alpha=0.2)
    grip.plot(times, [1e3 * state.gripper_width for state in evidence.states], color='black')
    grip.set(xlabel='s since the policy ended', ylabel='between the fingers (mm)')
    grip.grid(alpha=0.2)
