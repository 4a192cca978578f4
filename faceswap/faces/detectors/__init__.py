"""What finds faces in a picture; see `faces.tracking.Detector`."""
