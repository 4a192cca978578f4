"""Exporting a model: writing it, making it smaller, and measuring what that cost."""
