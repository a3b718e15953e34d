// Buttons that command.
