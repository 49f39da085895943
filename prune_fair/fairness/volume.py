"""The hypervolume of a set of operating points: one number for how good a frontier is."""

import numpy as np
from jaxtyping import Float

NUMBERS_AT_ONCE = 2**16  # what fits into a core's cache


def hypervolume(
    points: Float[np.ndarray, "*rows points objectives"],
    reference: Float[np.ndarray, " objectives"],
) -> Float[np.ndarray, "*rows"]:
    """The volume that the points of a row dominate, above a reference point.

    Every objective is better when higher. Points that are not better than the reference in every
    objective, and those with a NaN, add nothing. Exact; time grows with points^(objectives - 1)
    from three objectives on, memory does not grow with the rows.

    Source: Zitzler & Thiele 1999; slicing as in While et al. 2006.

    Example:
        >>> points = np.array([[1.0, 3.0], [2.0, 1.0], [0.5, 0.5]])
        >>> float(hypervolume(points, np.array([0.0, 0.0])))
        4.0
    """
    shape, (count, objectives) = points.shape[:-2], points.shape[-2:]
    rows = points.reshape(int(np.prod(shape)), count, objectives)
    step = max(1, NUMBERS_AT_ONCE // max(1, count))
    volumes = np.zeros(len(rows))
    for start in range(0, len(rows), step):
        gain = rows[start : start + step] - reference
        gain = np.where((gain > 0).all(axis=2, keepdims=True), gain, 0.0)
        volumes[start : start + step] = _volume(np.ascontiguousarray(gain.T))
    return volumes.reshape(shape)


def _volume(gain: np.ndarray) -> np.ndarray:
    """Volumes above the origin of gains (objectives, points, rows)."""
    if not gain.shape[1]:
        return np.zeros(gain.shape[2])
    if len(gain) == 1:
        return gain[0].max(axis=0)
    gain = np.take_along_axis(gain, np.argsort(-gain[-1:], axis=1), axis=1)
    below = np.concatenate([gain[-1, 1:], np.zeros_like(gain[-1, :1])])
    thickness = gain[-1] - below
    if len(gain) == 2:
        return (thickness * np.maximum.accumulate(gain[0], axis=0)).sum(axis=0)
    if len(gain) == 3:
        return _stacked_areas(gain[0], gain[1], thickness)
    slices = (thickness[i] * _volume(gain[:-1, : i + 1]) for i in range(gain.shape[1]))
    return sum(slices, np.zeros(gain.shape[2]))


def _stacked_areas(width: np.ndarray, height: np.ndarray, thickness: np.ndarray) -> np.ndarray:
    """Sums of thickness times the area of all points so far: (points, rows) from the top down.

    `reached` is the outline of that area over the sorted widths: a point lifts it up to its own
    width.
    """
    edges = -np.sort(-width, axis=0)
    steps = edges - np.concatenate([edges[1:], np.zeros_like(edges[:1])])
    reached, volume = np.zeros_like(edges), np.zeros(edges.shape[1])
    for point in range(len(edges)):
        np.maximum(reached, np.where(edges <= width[point], height[point], 0.0), out=reached)
        volume += thickness[point] * np.einsum("pr,pr->r", reached, steps)
    return volume
