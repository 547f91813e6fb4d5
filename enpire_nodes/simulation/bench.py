"""The bench without a task, built by code: two YAM arms, a table, lights and cameras.

The hand's tool frame (sites ``tcp_left`` and ``tcp_right``) lies between the fingertips: +z leaves
the hand, and the fingers close along y. Visual meshes collide with nothing; the palm and the pads
of the fingers do.
"""

from __future__ import annotations

import mujoco
import numpy as np

from enpire_nodes.simulation.assets import light_meshes, station_model
from enpire_nodes.simulation.settings import BenchSettings, BodyCamera

ARMS = ('left', 'right')
JOINTS = 6
#: Friction of the finger pads: sliding, torsional (m), rolling (m).
PAD_FRICTION = (1.2, 0.02, 0.001)

_STIFFNESS = (200.0, 250.0, 250.0, 60.0, 40.0, 20.0)  # N m / rad
_DAMPING = (12.0, 15.0, 15.0, 4.0, 2.5, 1.2)  # N m s / rad
_TORQUE = (28.0, 28.0, 28.0, 10.0, 10.0, 10.0)  # N m
_GRIPPER_STIFFNESS, _GRIPPER_DAMPING = 3000.0, 40.0  # N / m and N s / m, over the width

_GREY, _DARK, _STEEL = (0.80, 0.81, 0.83, 1.0), (0.13, 0.13, 0.15, 1.0), (0.33, 0.33, 0.36, 1.0)


def build_bench(settings: BenchSettings, *, mesh_cell: float | None = None) -> mujoco.MjSpec:
    """Return the specification of the bench, to which a task may add bodies before it compiles.

    :param settings: the station.
    :param mesh_cell: m, overrides how finely the arms are drawn.
    :raises AssetsMissingError: if the robot's models are not installed.
    """
    spec = mujoco.MjSpec.from_file(str(station_model()))
    meshes = light_meshes(mesh_cell or settings.mesh_cell)
    spec.meshdir = ''
    for mesh in spec.meshes:
        mesh.file = str(meshes[mesh.name])
    _set_physics(spec, settings)
    for body in spec.bodies:
        body.gravcomp = 1.0
    for geom in spec.geoms:
        _make_visual(geom)
    for side in ARMS:
        _add_arm(spec, side)
        _add_fingers(spec, side)
        _add_wrench_sensor(spec, side)
    _add_room(spec, settings)
    _add_cameras(spec, settings)
    return spec


def _set_physics(spec: mujoco.MjSpec, settings: BenchSettings) -> None:
    spec.option.timestep = 1.0 / settings.physics_rate
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    spec.visual.quality.shadowsize = 0
    spec.visual.quality.offsamples = 0
    spec.visual.quality.numquads = 1
    spec.visual.map.znear = 0.01


def _make_visual(geom: mujoco.MjsGeom) -> None:
    geom.contype, geom.conaffinity, geom.group = 0, 0, 2
    name = geom.meshname
    if name.startswith('link') or name == 'base':
        geom.rgba = _GREY
    else:
        geom.rgba = _DARK if 'd405' in name or name == 'gripper' else _STEEL


def _add_arm(spec: mujoco.MjSpec, side: str) -> None:
    for index in range(JOINTS):
        joint = spec.joint(f'{side}_joint{index + 1}')
        joint.armature = 0.02 if index < 3 else 0.005
        joint.damping = [0.5, 0.0, 0.0]
        joint.frictionloss = 0.05 if index < 3 else 0.02
        actuator = spec.add_actuator(
            name=f'{side}_joint{index + 1}',
            target=joint.name,
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
        )
        actuator.set_to_position(kp=_STIFFNESS[index], kv=_DAMPING[index])
        actuator.forcelimited = True
        actuator.forcerange = [-_TORQUE[index], _TORQUE[index]]


def _add_fingers(spec: mujoco.MjSpec, side: str) -> None:
    spec.body(f'{side}_gripper').add_geom(
        name=f'{side}_palm',
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[0.045, 0.03, 0.025],
        pos=[0.0, 0.0, 0.045],
        group=3,
        mass=0.0,
    )
    # One drive pulls both fingers: the tendon's length is the width between the pads, and its
    # force is the force of each finger.
    tendon = spec.add_tendon(name=f'{side}_gripper')
    for index, finger in ((7, 'left'), (8, 'right')):
        joint = spec.joint(f'{side}_joint{index}')
        joint.armature = 0.05
        joint.damping = [5.0, 0.0, 0.0]
        tendon.wrap_joint(joint.name, 1.0)
        _add_pads(spec, side, finger)
    drive = spec.add_actuator(
        name=f'{side}_gripper', target=f'{side}_gripper', trntype=mujoco.mjtTrn.mjTRN_TENDON
    )
    drive.set_to_position(kp=_GRIPPER_STIFFNESS, kv=_GRIPPER_DAMPING)
    drive.forcelimited = True
    drive.forcerange = [-20.0, 20.0]


def _add_pads(spec: mujoco.MjSpec, side: str, finger: str) -> None:
    """Add the pad that grips and the finger behind it, as boxes in the hand's own axes."""
    body = spec.body(f'{side}_tip_{finger}')
    outward = -1.0 if finger == 'left' else 1.0
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, body.quat)
    to_tip = matrix.reshape(3, 3).T
    turned = np.zeros(4)
    mujoco.mju_mat2Quat(turned, to_tip.flatten())
    boxes = {
        'pad': ((outward * 0.003, 0.0, 0.1305), (0.003, 0.010, 0.0165)),
        'finger': ((outward * 0.020, 0.0, 0.090), (0.008, 0.012, 0.030)),
    }
    for name, (centre, half_size) in boxes.items():
        body.add_geom(
            name=f'{side}_{finger}_{name}',
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=to_tip @ (np.array(centre) - body.pos),
            quat=turned,
            size=half_size,
            friction=PAD_FRICTION,
            condim=4,
            priority=1,
            solref=[0.004, 1.0],
            group=3,
            mass=0.0,
        )


def _add_wrench_sensor(spec: mujoco.MjSpec, side: str) -> None:
    spec.body(f'{side}_gripper').add_site(name=f'{side}_wrench', pos=[0.0, 0.0, 0.02])
    for name, kind in (
        ('force', mujoco.mjtSensor.mjSENS_FORCE),
        ('torque', mujoco.mjtSensor.mjSENS_TORQUE),
    ):
        spec.add_sensor(
            name=f'{side}_{name}',
            type=kind,
            objtype=mujoco.mjtObj.mjOBJ_SITE,
            objname=f'{side}_wrench',
        )


def _add_room(spec: mujoco.MjSpec, settings: BenchSettings) -> None:
    spec.add_texture(
        name='sky',
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.62, 0.64, 0.67],
        rgb2=[0.30, 0.31, 0.33],
        width=64,
        height=384,
    )
    spec.add_texture(
        name='table',
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        mark=mujoco.mjtMark.mjMARK_RANDOM,
        random=0.02,
        rgb1=[0.56, 0.55, 0.53],
        markrgb=[0.52, 0.51, 0.49],
        width=256,
        height=256,
    )
    material = spec.add_material(name='table', specular=0.1, shininess=0.1)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = 'table'
    material.texrepeat = [3.0, 4.0]
    world = spec.worldbody
    x, y = settings.table_centre
    world.add_geom(
        name='table',
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[settings.table_size[0] / 2.0, settings.table_size[1] / 2.0, 0.02],
        pos=[x, y, settings.table_height - 0.02],
        material='table',
    )
    for side in ARMS:  # what the arms stand on
        base = spec.body(f'{side}_base')
        offset = np.zeros(3) if side == 'left' else np.asarray(base.pos)
        world.add_geom(
            name=f'{side}_pedestal',
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=[0.09, 0.08, -settings.table_height / 2.0],
            pos=offset + [0.0, 0.0, settings.table_height / 2.0],
            rgba=_DARK,
            group=2,
            contype=0,
            conaffinity=0,
        )
    # Parallel light shades a face evenly, so that faces need not be cut up to be drawn.
    for name, position, direction, brightness in (
        ('ceiling', [0.3, -0.3, 1.5], [0.0, 0.0, -1.0], 0.62),
        ('window', [1.2, 0.5, 1.2], [-0.6, -0.4, -0.8], 0.35),
    ):
        world.add_light(
            name=name,
            type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
            pos=position,
            dir=direction,
            diffuse=[brightness] * 3,
            castshadow=False,
        )


def _add_cameras(spec: mujoco.MjSpec, settings: BenchSettings) -> None:
    flip = np.diag([1.0, -1.0, -1.0])  # optical axes to MuJoCo's: x right, y up, z backward
    for name, camera in settings.cameras.items():
        if isinstance(camera, BodyCamera):
            fov = camera.vertical_fov
            spec.body(camera.body).add_camera(
                name=name, quat=[0.0, 1.0, 0.0, 0.0], fovy=float(np.rad2deg(fov))
            )
            continue
        quaternion = np.zeros(4)
        mujoco.mju_mat2Quat(quaternion, (camera.rotation @ flip).flatten())
        fov = 2.0 * np.arctan(camera.height / 2.0 / camera.matrix[1, 1])
        spec.worldbody.add_camera(
            name=name, pos=camera.position, quat=quaternion, fovy=float(np.rad2deg(fov))
        )
