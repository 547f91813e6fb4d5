"""Pinhole cameras in the station frame: projecting points, and meeting rays from two views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from enpire_nodes.common.geometry import look_at


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """A calibrated pinhole camera without lens distortion.

    :param name: of its topics, ``camera/<name>/...``.
    :param width: pixels.
    :param height: pixels.
    :param matrix: (3, 3) intrinsic matrix K, pixels.
    :param position: (3,) m, optical centre in ``world``.
    :param rotation: (3, 3), optical axes (x right, y down, z forward) in ``world``.
    """

    name: str
    width: int
    height: int
    matrix: np.ndarray
    position: np.ndarray
    rotation: np.ndarray

    @classmethod
    def looking_at(
        cls,
        name: str,
        *,
        position: Sequence[float],
        target: Sequence[float],
        vertical_fov: float,
        width: int,
        height: int,
    ) -> Camera:
        """Make a camera from where it stands and what it looks at; ``vertical_fov`` in rad."""
        focal = height / 2.0 / np.tan(vertical_fov / 2.0)
        matrix = np.array([[focal, 0.0, width / 2.0], [0.0, focal, height / 2.0], [0.0, 0.0, 1.0]])
        origin = np.asarray(position, dtype=float)
        return cls(name, width, height, matrix, origin, look_at(origin, np.asarray(target)))

    def project(self, points: np.ndarray) -> np.ndarray:
        """Return the (n, 2) pixels of (n, 3) points of ``world``; NaN behind the camera."""
        local = (np.atleast_2d(points) - self.position) @ self.rotation
        image = local @ self.matrix.T
        depth = np.where(image[:, 2:] > 1e-6, image[:, 2:], np.nan)
        return image[:, :2] / depth

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Return the (n, 3) unit directions in ``world`` of (n, 2) pixels."""
        pixels = np.atleast_2d(np.asarray(pixels, dtype=float))
        homogeneous = np.concatenate([pixels, np.ones((len(pixels), 1))], axis=1)
        directions = homogeneous @ np.linalg.inv(self.matrix).T @ self.rotation.T
        return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def triangulate(
    cameras: Sequence[Camera], pixels: Sequence[np.ndarray]
) -> tuple[np.ndarray, float]:
    """Meet one ray per camera in the least-squares sense.

    :param cameras: at least two.
    :param pixels: (2,) pixel of the same point in each camera.
    :return: the (3,) point in ``world`` and the largest distance in m from it to a ray.
    """
    normal, moment = np.zeros((3, 3)), np.zeros(3)
    rays = [camera.rays(pixel)[0] for camera, pixel in zip(cameras, pixels, strict=True)]
    for camera, ray in zip(cameras, rays, strict=True):
        projector = np.eye(3) - np.outer(ray, ray)
        normal += projector
        moment += projector @ camera.position
    point = np.linalg.solve(normal, moment)
    miss = max(
        float(np.linalg.norm(np.cross(point - camera.position, ray)))
        for camera, ray in zip(cameras, rays, strict=True)
    )
    return point, miss


def cameras_from_settings(settings: Mapping[str, Mapping]) -> dict[str, Camera]:
    """Read the ``cameras`` section of a station's configuration (see ``config/stations``)."""
    return {
        name: Camera.looking_at(
            name,
            position=entry['position'],
            target=entry['target'],
            vertical_fov=float(np.deg2rad(entry['vertical_fov_deg'])),
            width=int(entry['width']),
            height=int(entry['height']),
        )
        for name, entry in settings.items()
    }
