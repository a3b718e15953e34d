"""What most sites want; built on the same hooks and the same Site as anybody's plugin."""
