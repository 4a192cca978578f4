"""Saying what a picture is: signed manifests, notes, a mark in the pixels, a label; and what is not made."""
