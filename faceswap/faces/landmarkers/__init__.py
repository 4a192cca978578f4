"""What finds the points of a face; see `faces.tracking.Landmarker`."""
