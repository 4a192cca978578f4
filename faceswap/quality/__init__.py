"""How good a swap is: measures on pixels and points, and the report of them.

Nothing here finds a face or opens a clip: `faceswap.evaluation` does, and hands over arrays.
"""
