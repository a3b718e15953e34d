"""Log lines: from a logger or a message to the process's output."""
