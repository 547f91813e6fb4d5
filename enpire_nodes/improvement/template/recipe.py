"""What a recipe may say: every setting with its meaning, unit and range.

``recipe.yaml`` holds the values. Add a setting here where your code needs one; unknown keys and
values out of range are refused with the line of the file, before anything is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from enpire_nodes.improvement import setting

ALGORITHMS = ('bc', 'rlpd', 'bc_rl', 'residual', 'search')


@dataclass(frozen=True)
class Observation:
    """What the policy sees of the features of the task; see observation.py."""

    retries: bool = setting(True, 'tell it the attempt, and where the last one ended')
    touch: bool = setting(True, 'tell it where and when it first touched something')
    images: int = setting(
        0, 'size of the camera crops it sees, 0 for keypoints alone', unit='px', minimum=0,
        maximum=224,
    )  # fmt: skip
    encoder: str = setting(
        'cnn',
        'of the pictures: a small network, or a frozen ResNet-18',
        choices=('cnn', 'resnet18'),
    )
    encoder_weights: str = setting('', 'file of the frozen encoder, a torchvision state dict')
    noise: float = setting(
        0.1,
        'augmentation: sd of the noise on each input, of its own sd',
        minimum=0.0,
        maximum=1.0,
    )
    shift: int = setting(
        4,
        'augmentation: pictures are shifted at random by up to',
        unit='px',
        minimum=0,
        maximum=32,
    )


@dataclass(frozen=True)
class Action:
    """How an action becomes a motion; see action.py."""

    periods: int = setting(
        6, 'control periods that one action lasts; 6 at 30 Hz is 5 Hz', minimum=1, maximum=30
    )
    chunk: int = setting(
        1, 'actions that are decided at once and executed one after another', minimum=1, maximum=16
    )
    reach: float = setting(
        0.01, 'largest motion of one action along an axis', unit='m', minimum=0.0005, maximum=0.03
    )
    compensation: float = setting(
        0.0,
        'of the lag of the arm: 0 moves on from where the tool was sent, 1 from where it is',
        minimum=0.0, maximum=1.0,
    )  # fmt: skip
    radius: float = setting(
        0.014, 'around the goal that the tool is kept within', unit='m', minimum=0.002, maximum=0.1
    )
    height: float = setting(
        0.045, 'of the tip above the rim that the tool is kept below', unit='m', minimum=0.0,
        maximum=0.2,
    )  # fmt: skip
    time_limit: float = setting(
        8.0, 'after which the policy gives an attempt up', unit='s', minimum=1.0, maximum=60.0
    )
    finish_depth: float = setting(
        0.027, 'of the tip below the rim that counts as done', unit='m', minimum=0.0, maximum=0.05
    )


@dataclass(frozen=True)
class Data:
    """What is learned from."""

    demonstrators: str = setting(
        'teleop, demonstrator, lerobot', 'controllers whose successes are demonstrations'
    )
    demonstrations: int = setting(
        0, 'how many of them to use, the oldest first; 0 for all', minimum=0, maximum=100_000
    )
    step_cost: float = setting(
        0.01, 'reward lost with each action: without it, time-outs that bootstrap cost nothing',
        minimum=0.0, maximum=0.1,
    )  # fmt: skip


@dataclass(frozen=True)
class Training:
    """How it is learned."""

    batch_size: int = setting(256, 'transitions in an update', minimum=8, maximum=8192)
    hidden: int = setting(128, 'units of a hidden layer', minimum=8, maximum=2048)
    layers: int = setting(2, 'hidden layers', minimum=1, maximum=6)
    learning_rate: float = setting(5e-4, 'of actor and critics', minimum=1e-6, maximum=0.1)
    bc_updates: int = setting(
        3000, 'of behaviour cloning before anything else', minimum=0, maximum=1_000_000
    )
    updates_per_action: float = setting(
        2.0,
        'update-to-data ratio: updates for each action of the robot',
        minimum=0.0,
        maximum=100.0,
    )
    warm_up_updates: int = setting(
        500, 'of the critics on the demonstrations, before the actor follows them',
        minimum=0, maximum=1_000_000,
    )  # fmt: skip
    discount: float = setting(0.97, 'of the value of the next action', minimum=0.0, maximum=0.9999)
    critics: int = setting(2, 'in the ensemble', minimum=1, maximum=20)
    critics_in_target: int = setting(
        2, 'of the ensemble, drawn for each update, whose least value is believed',
        minimum=1, maximum=20,
    )  # fmt: skip
    layer_norm: bool = setting(True, 'in the critics (RLPD): keeps them from running away')
    polyak: float = setting(0.01, 'speed of the target critics', minimum=1e-4, maximum=1.0)
    demonstrations_share: float = setting(
        0.5, 'of every batch that comes from demonstrations (RLPD)', minimum=0.0, maximum=1.0
    )
    bc_weight: float = setting(
        1.0, 'of imitation in the loss of the actor of bc_rl', minimum=0.0, maximum=1000.0
    )
    bc_decay: float = setting(
        1.0, 'factor on that weight with each online trial', minimum=0.5, maximum=1.0
    )
    residual_reach: float = setting(
        0.3, 'largest correction that residual makes, of the reach', minimum=0.01, maximum=1.0
    )
    exploration: float = setting(
        0.15, 'sd of the noise on actions while gathering experience', minimum=0.0, maximum=1.0
    )
    compiled: bool = setting(
        True,
        'translate the update into one program first: a pause of about a minute at the first '
        'start and of seconds at later ones, then some three times the speed (no pictures)',
    )
    bfloat16: bool = setting(
        False, 'multiply hidden layers in bfloat16: faster where the processor has it, less exact'
    )
    threads: int = setting(
        1, 'of the processor that the learner takes; the station needs the others', minimum=1,
        maximum=256,
    )  # fmt: skip
    seed: int = setting(0, 'of everything random in training', minimum=0, maximum=2**31 - 1)


@dataclass(frozen=True)
class Keeping:
    """When the learner hands over and saves."""

    publish_every: float = setting(
        15.0, 'between two hand-overs of weights', unit='s', minimum=1.0, maximum=3600.0
    )
    save_every: float = setting(
        30.0, 'between two saves of the whole learner: what a crash can cost', unit='s',
        minimum=1.0, maximum=3600.0,
    )  # fmt: skip
    keep: int = setting(20, 'checkpoints on the disk', minimum=3, maximum=10_000)
    minimum_free_mb: float = setting(
        1000.0, 'left for the station on the disk; no checkpoint is written below it', unit='MB',
        minimum=0.0, maximum=1e6,
    )  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """The whole recipe."""

    algorithm: str = setting('bc_rl', 'what learns', choices=ALGORITHMS)
    observation: Observation = field(default_factory=Observation)
    action: Action = field(default_factory=Action)
    data: Data = field(default_factory=Data)
    training: Training = field(default_factory=Training)
    keeping: Keeping = field(default_factory=Keeping)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what does not fit together, and why."""
        training, action = self.training, self.action
        if training.critics_in_target > training.critics:
            yield (
                'training.critics_in_target',
                f'is {training.critics_in_target}, more than the {training.critics} critics',
            )
        if self.observation.images and self.observation.images < 32:
            yield 'observation.images', 'must be 0, or at least 32 px for the encoder'
        if self.observation.encoder == 'resnet18' and not self.observation.encoder_weights:
            yield 'observation.encoder', 'resnet18 is frozen and needs observation.encoder_weights'
        if self.algorithm == 'residual' and action.chunk > 1:
            yield 'action.chunk', 'residual corrects a policy step by step: chunk must be 1'
        if action.chunk * action.periods > 60:
            periods = action.chunk * action.periods
            yield 'action.chunk', f'{periods} control periods are more than 2 s without a look'
