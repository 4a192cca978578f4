"""Exported models: files that draw faces without Keras and TensorFlow, and how they are made smaller."""
