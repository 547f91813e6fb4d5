"""Settings of the pin task: what the scene measures, and how reset, settle and verify behave.

Lengths in m, angles in rad, forces in N, times in s, positions in the station frame ``world``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from enpire_nodes.tasks.loading import value


@dataclass(frozen=True, slots=True)
class TraySettings:
    """The tray that keeps everything within reach."""

    centre: tuple[float, float] = value((0.255, -0.350), -2.0, 2.0, 'm')
    size: tuple[float, float] = value((0.200, 0.270), 0.05, 1.0, 'm')  # inside, along x and y
    height: float = value(-0.097, -1.0, 1.0, 'm')  # of its floor
    rim_height: float = value(0.014, 0.0, 0.1, 'm')
    rim_thickness: float = value(0.006, 0.001, 0.05, 'm')


@dataclass(frozen=True, slots=True)
class BlockSettings:
    """The block with the hole: an upright cylinder that stands on the tray's floor."""

    centre: tuple[float, float] = value((0.27, -0.305), -2.0, 2.0, 'm')
    spread: float = value(0.008, 0.0, 0.05, 'm')  # it may stand this far from there, per axis
    radius: float = value(0.030, 0.005, 0.2, 'm')
    height: float = value(0.044, 0.005, 0.2, 'm')
    hole_radius: float = value(0.008, 0.001, 0.1, 'm')
    hole_depth: float = value(0.040, 0.005, 0.2, 'm')


@dataclass(frozen=True, slots=True)
class CradleSettings:
    """A bore on a pedestal with a funnel above it, in which the pin stands to be gripped."""

    centre: tuple[float, float] = value((0.205, -0.425), -2.0, 2.0, 'm')
    floor: float = value(0.020, 0.0, 0.2, 'm')  # of the bore, above the tray's floor
    bore_radius: float = value(0.0072, 0.001, 0.1, 'm')
    bore_depth: float = value(0.016, 0.001, 0.1, 'm')
    mouth_radius: float = value(0.020, 0.001, 0.1, 'm')
    mouth_depth: float = value(0.012, 0.001, 0.1, 'm')


@dataclass(frozen=True, slots=True)
class PinSettings:
    """The pin: a cylinder."""

    radius: float = value(0.006, 0.001, 0.05, 'm')
    length: float = value(0.070, 0.01, 0.5, 'm')
    mass: float = value(0.050, 0.001, 2.0, 'kg')


@dataclass(frozen=True, slots=True)
class VisionSettings:
    """How pin and block are told from the rest, by hue (degrees) and purity."""

    pin_hue: tuple[float, float] = value((8.0, 42.0), 0.0, 360.0, 'deg')
    block_hue: tuple[float, float] = value((155.0, 200.0), 0.0, 360.0, 'deg')
    cradle_hue: tuple[float, float] = value((235.0, 280.0), 0.0, 360.0, 'deg')
    saturation: float = value(0.38, 0.0, 1.0)
    brightness: float = value(0.08, 0.0, 1.0)
    pin_pixels: int = value(25, 1, 100000)
    block_pixels: int = value(400, 1, 100000)
    miss: float = value(0.006, 0.0, 0.1, 'm')  # rays of two views may pass each other this far


@dataclass(frozen=True, slots=True)
class GraspSettings:
    """How the hand holds the pin."""

    height: float = value(0.050, 0.01, 0.5, 'm')  # of the tool centre point above the pin's tip
    effort: float = value(20.0, 1.0, 60.0, 'N')
    open_width: float = value(0.050, 0.0, 0.1, 'm')
    held_width: tuple[float, float] = value((0.0095, 0.0145), 0.0, 0.1, 'm')
    held_effort: float = value(4.0, 0.0, 60.0, 'N')  # at least


@dataclass(frozen=True, slots=True)
class ResetSettings:
    """How the scene is put back."""

    deadline: float = value(90.0, 1.0, 600.0, 's')
    retries: int = value(4, 0, 20)  # of each stage, before it gives up
    camera_wait: float = value(1.0, 0.1, 30.0, 's')
    frames: int = value(2, 1, 20)  # per camera, for one look
    travel_height: float = value(0.175, 0.05, 0.5, 'm')  # of the hand above the tray's floor
    fast: float = value(0.25, 0.01, 1.0, 'm/s')
    slow: float = value(0.08, 0.005, 1.0, 'm/s')
    slip: float = value(0.008, 0.001, 0.05, 'm')  # in the hand, before it is reseated
    tilt: float = value(0.14, 0.01, 1.0, 'rad')
    hover: float = value(0.030, 0.005, 0.2, 'm')  # of the tip above the hole's rim
    offset: float = value(0.008, 0.0, 0.05, 'm')  # of the start from the hole, per axis
    hover_tolerance: float = value(0.014, 0.001, 0.1, 'm')


@dataclass(frozen=True, slots=True)
class SettleSettings:
    """How an attempt is wound up."""

    deadline: float = value(15.0, 1.0, 120.0, 's')
    wiggle: float = value(0.010, 0.001, 0.02, 'm')
    wiggle_time: float = value(0.35, 0.05, 5.0, 's')  # of each of the four strokes
    deep: float = value(0.012, 0.0, 0.2, 'm')  # the tip is at least this far below the rim
    firm: float = value(0.9, 0.1, 50.0, 'N')  # felt to all four sides, before it lets go
    retreat: float = value(0.075, 0.01, 0.3, 'm')


@dataclass(frozen=True, slots=True)
class VerifySettings:
    """What counts as a success, and how sure the judge must be."""

    depth: float = value(0.020, 0.001, 0.2, 'm')  # of the tip below the rim
    depth_margin: float = value(0.002, 0.0, 0.05, 'm')  # closer than this to `depth`: uncertain
    lateral: float = value(0.009, 0.001, 0.05, 'm')  # of the pin's axis from the hole
    tilt: float = value(0.26, 0.01, 1.5, 'rad')
    frames: int = value(3, 1, 50)
    max_age: float = value(1.0, 0.05, 30.0, 's')  # of the newest picture and force sample
    resistance: float = value(1.2, 0.1, 50.0, 'N')  # sideways, both ways, along both axes
    free: float = value(0.7, 0.01, 50.0, 'N')  # sideways; less than that means nothing holds it
    released_width: float = value(0.025, 0.0, 0.1, 'm')


@dataclass(frozen=True, slots=True)
class PinInsertionSettings:
    """Everything that may be set about the task."""

    arm: str = 'right'
    cameras: tuple[str, str] = ('side', 'front')
    tray: TraySettings = field(default_factory=TraySettings)
    block: BlockSettings = field(default_factory=BlockSettings)
    cradle: CradleSettings = field(default_factory=CradleSettings)
    pin: PinSettings = field(default_factory=PinSettings)
    vision: VisionSettings = field(default_factory=VisionSettings)
    grasp: GraspSettings = field(default_factory=GraspSettings)
    reset: ResetSettings = field(default_factory=ResetSettings)
    settle: SettleSettings = field(default_factory=SettleSettings)
    verify: VerifySettings = field(default_factory=VerifySettings)

    def __post_init__(self) -> None:
        """Refuse a pin that does not fit."""
        for name, radius in (
            ('block.hole_radius', self.block.hole_radius),
            ('cradle.bore_radius', self.cradle.bore_radius),
        ):
            if radius <= self.pin.radius:
                raise ValueError(f'{name} {radius} must be larger than pin.radius')
        if self.block.hole_depth > self.block.height:
            raise ValueError('block.hole_depth must not exceed block.height')
        if self.verify.depth >= self.block.hole_depth:
            raise ValueError('verify.depth must be less than block.hole_depth')
