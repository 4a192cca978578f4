import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceswap.faces.alignment import align, cut, moved
from faceswap.faces.index import pack, unpack
from faceswap.faces.template import MEAN_DEPTH, MEAN_FACE
from faceswap.faces.traits import head_pose, measure
from faceswap.types import Pixels

HEAD = np.column_stack([MEAN_FACE, MEAN_DEPTH]).astype(np.float64)


def seen(yaw, pitch, roll, scale=100.0):
    """The points of the mean head, turned right, then up, then clockwise, from far away."""
    y, p, r = np.radians([yaw, pitch, roll])
    right = [[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]]
    up = [[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]]
    clockwise = [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]]
    head = HEAD @ (np.array(clockwise) @ right @ up).T
    return (head[:, :2] * scale + 200).astype(np.float32)


@given(st.floats(-50, 50), st.floats(-30, 30), st.floats(-170, 170), st.sampled_from([20.0, 100.0, 700.0]))
def test_a_turned_head_reads_as_turned(yaw, pitch, roll, scale):
    found = head_pose(seen(yaw, pitch, roll, scale))
    assert np.abs(np.subtract(found, (yaw, pitch, roll))).max() < 4


def test_blur_and_light_are_measured_within_the_mask_only():
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 16:48] = 255
    face = seen(0, 0, 0)
    first = measure(image, mask, face)
    beside = np.where(mask[..., None] > 0, image, 0).astype(np.uint8)
    beside[14:16], beside[48:50] = image[14:16], image[48:50]
    beside[:, 14:16], beside[:, 48:50] = image[:, 14:16], image[:, 48:50]
    assert measure(beside, mask, face) == first
    blurred = measure(cv2.GaussianBlur(image, (0, 0), 2), mask, face)
    assert blurred.sharpness < 0.05 * first.sharpness
    assert blurred.brightness == pytest.approx(first.brightness, abs=3)
    assert measure(image // 2, mask, face).brightness == pytest.approx(first.brightness / 2, abs=1)


@given(st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_a_mask_comes_back(size, seed):
    mask = np.random.default_rng(seed).integers(0, 2, (size, size)).astype(np.uint8) * np.uint8(255)
    assert (unpack(pack(mask), size) == mask).all()


def test_a_mask_moves_with_the_crop():
    face = seen(10, 5, 20)
    frame = np.zeros((400, 400, 3), np.uint8)
    cv2.fillConvexPoly(frame, cv2.convexHull(np.round(face).astype(np.int32)), (255, 255, 255))
    small, large = align(face, 96, 1.6), align(face + np.float32(3), 256, 2.2)
    there = moved(cut(Pixels(frame), small)[..., 0], small, large)
    direct = cut(Pixels(frame), large)[..., 0]
    assert ((there > 127) != (direct > 127)).mean() < 0.01
