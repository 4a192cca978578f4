"""The mean face that every face is aligned to.

68 points in the iBUG 300-W order, mean of 1,326 drawn faces of people who do not exist (generalised
Procrustes analysis; Gower, Psychometrika 40, 1975), made symmetric and upright. The unit is the *extent*: the
width from ear to ear of the mean face, which is within 4% of its height from brows to chin. The origin is
the middle of the points. Alignment coverage counts in extents.
"""

from __future__ import annotations

import numpy as np

from faceswap.types import Points

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

# Brows, nose, eyes and the corners of the mouth: what moves least when a person speaks. The jaw and the lips
# would shrink and lift the crop whenever the mouth opens.
RIGID = np.r_[17:48, 48, 54]
