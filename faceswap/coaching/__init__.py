"""Around the steps of a training: its faces, its exams, what steers it, what is written of it."""
