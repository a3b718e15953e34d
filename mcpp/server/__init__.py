"""The composition root: builds every part, runs it until a signal and takes it down again."""
