"""Telling whether two pictures show one person: with dlib's network, or with one of our own that learns."""
