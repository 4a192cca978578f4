"""Putting a swapped face into a picture: colour, mask, blend. Plain numpy and OpenCV."""
