"""Rotations and rigid transforms; the one place where quaternion order is converted.

ROS orders quaternions ``(x, y, z, w)`` and transforms3d ``(w, x, y, z)``; everything outside this
module speaks ROS order.
"""

from __future__ import annotations

import numpy as np
from transforms3d import quaternions


def wxyz_from_xyzw(quaternion: np.ndarray) -> np.ndarray:
    """Reorder a ROS quaternion for transforms3d (and MuJoCo)."""
    x, y, z, w = np.asarray(quaternion, dtype=float)
    return np.array([w, x, y, z])


def xyzw_from_wxyz(quaternion: np.ndarray) -> np.ndarray:
    """Reorder a transforms3d (or MuJoCo) quaternion for ROS."""
    w, x, y, z = np.asarray(quaternion, dtype=float)
    return np.array([x, y, z, w])


def matrix_from_quaternion(quaternion: np.ndarray) -> np.ndarray:
    """Return the (3, 3) rotation matrix of a quaternion (xyzw)."""
    return quaternions.quat2mat(wxyz_from_xyzw(quaternion))


def quaternion_from_matrix(rotation: np.ndarray) -> np.ndarray:
    """Return the quaternion (xyzw, w >= 0) of a (3, 3) rotation matrix."""
    quaternion = xyzw_from_wxyz(quaternions.mat2quat(np.asarray(rotation, dtype=float)))
    return quaternion if quaternion[3] >= 0 else -quaternion


def rotation_angle(first: np.ndarray, second: np.ndarray) -> float:
    """Return the angle in rad, within [0, pi], between two orientations (xyzw)."""
    dot = abs(float(np.dot(first, second)))
    norm = float(np.linalg.norm(first) * np.linalg.norm(second))
    return 2.0 * float(np.arccos(min(1.0, dot / norm)))


def slerp(first: np.ndarray, second: np.ndarray, fraction: float) -> np.ndarray:
    """Interpolate two orientations (xyzw) along the shorter arc; ``fraction`` within [0, 1]."""
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    dot = float(np.dot(first, second))
    if dot < 0.0:
        second, dot = -second, -dot
    if dot > 0.9995:
        blend = first + fraction * (second - first)
    else:
        angle = float(np.arccos(min(1.0, dot)))
        blend = (
            np.sin((1.0 - fraction) * angle) * first + np.sin(fraction * angle) * second
        ) / np.sin(angle)
    return blend / np.linalg.norm(blend)


def look_at(position: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the (3, 3) optical rotation (x right, y down, z forward) of a camera in ``world``."""
    forward = np.asarray(target, dtype=float) - np.asarray(position, dtype=float)
    forward /= np.linalg.norm(forward)
    up = np.array([0.0, 0.0, 1.0]) if abs(forward[2]) < 0.98 else np.array([1.0, 0.0, 0.0])
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward], axis=1)
