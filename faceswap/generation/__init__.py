"""Making faces of nobody: training on facesets, scores on the way, samples."""
