"""Virtual charge points: the other role of the same protocol core."""
