"""The owner's pages, on the HTTP listener."""
