"""The mean face that every face is aligned to.

68 points in the iBUG 300-W order, mean of 1,326 drawn faces of people who do not exist (generalised
Procrustes analysis; Gower, Psychometrika 40, 1975), made symmetric and upright. The unit is the *extent*: the
width from ear to ear of the mean face, which is within 4% of its height from brows to chin. The origin is
the middle of the points. Alignment coverage counts in extents.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceswap.types import Box, Points

# fmt: off
MEAN_FACE: Points = np.array(
    [
        [-0.5000, -0.3187], [-0.4949, -0.1861], [-0.4814, -0.0559], [-0.4586, 0.0743],
        [-0.4128, 0.1953], [-0.3355, 0.3007], [-0.2358, 0.3884], [-0.1244, 0.4602],
        [0.0000, 0.4822], [0.1244, 0.4602], [0.2358, 0.3884], [0.3355, 0.3007],
        [0.4128, 0.1953], [0.4586, 0.0743], [0.4814, -0.0559], [0.4949, -0.1861],
        [0.5000, -0.3187], [-0.4039, -0.4065], [-0.3424, -0.4644], [-0.2545, -0.4822],
        [-0.1644, -0.4694], [-0.0806, -0.4351], [0.0806, -0.4351], [0.1645, -0.4694],
        [0.2545, -0.4822], [0.3424, -0.4644], [0.4039, -0.4065], [0.0000, -0.3408],
        [0.0000, -0.2534], [0.0000, -0.1662], [0.0000, -0.0762], [-0.1019, -0.0233],
        [-0.0527, -0.0051], [0.0000, 0.0118], [0.0527, -0.0051], [0.1019, -0.0233],
        [-0.3010, -0.3252], [-0.2474, -0.3562], [-0.1850, -0.3551], [-0.1287, -0.3137],
        [-0.1886, -0.3056], [-0.2504, -0.3061], [0.1287, -0.3137], [0.1850, -0.3551],
        [0.2474, -0.3562], [0.3010, -0.3252], [0.2504, -0.3061], [0.1886, -0.3056],
        [-0.2062, 0.1222], [-0.1290, 0.0991], [-0.0540, 0.0866], [0.0000, 0.0995],
        [0.0540, 0.0866], [0.1290, 0.0991], [0.2062, 0.1222], [0.1316, 0.1975],
        [0.0580, 0.2327], [0.0000, 0.2394], [-0.0580, 0.2327], [-0.1316, 0.1975],
        [-0.1758, 0.1287], [-0.0546, 0.1259], [0.0000, 0.1321], [0.0546, 0.1259],
        [0.1758, 0.1287], [0.0556, 0.1686], [0.0000, 0.1760], [-0.0556, 0.1686],
    ],
    dtype=np.float32,
)
# fmt: on

# Where dlib's detector sees an upright face, about its middle, extents: left, top, right, bottom. The median
# of 100 drawn faces, made symmetric; its landmarks were trained on such boxes.
DETECTED = (-0.52, -0.63, 0.52, 0.42)

# How far behind the middle of the `RIGID` points each lies on average (the nose is before it, so negative),
# in extents: drawn faces as MediaPipe's mesh sees them, brought together in three dimensions.
# fmt: off
MEAN_DEPTH: NDArray[np.float32] = np.array(
    [
        0.4522, 0.4894, 0.4846, 0.4497, 0.3829, 0.3090, 0.1978, 0.1100,
        0.0972, 0.1100, 0.1978, 0.3090, 0.3829, 0.4497, 0.4846, 0.4894,
        0.4522, 0.1006, 0.0405, -0.0139, -0.0391, -0.0520, -0.0520, -0.0391,
        -0.0139, 0.0405, 0.1006, -0.0618, -0.1255, -0.2010, -0.2165, -0.0612,
        -0.0735, -0.0858, -0.0735, -0.0612, 0.0999, 0.0512, 0.0383, 0.0604,
        0.0477, 0.0603, 0.0604, 0.0383, 0.0512, 0.0999, 0.0603, 0.0477,
        0.0861, -0.0390, -0.0685, -0.0740, -0.0685, -0.0390, 0.0861, 0.0019,
        -0.0226, -0.0281, -0.0226, 0.0019, 0.0739, -0.0266, -0.0335, -0.0266,
        0.0739, -0.0119, -0.0191, -0.0119,
    ],
    dtype=np.float32,
)
# fmt: on

# Brows, nose, eyes and the corners of the mouth: what moves least when a person speaks. The jaw and the lips
# would shrink and lift the crop whenever the mouth opens.
RIGID = np.r_[17:48, 48, 54]


def detected(size: int, coverage: float) -> Box:
    """Where dlib's detector sees the face of an aligned picture, pixels.

    Args:
        size: Side of the picture, pixels.
        coverage: The same in extents.
    """
    return Box(*((np.array(DETECTED) / coverage + 0.5) * size - 0.5).tolist())


def mean_landmarks(size: int, coverage: float) -> Points:
    """Where the mean face lies in an aligned picture: float32 (68, 2), pixels.

    Args:
        size: Side of the picture, pixels.
        coverage: The same in extents.
    """
    return np.asarray((MEAN_FACE / coverage + 0.5) * size - 0.5, np.float32)
