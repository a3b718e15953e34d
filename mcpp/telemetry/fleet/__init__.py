"""What is known of each charge point and connector at any moment, for their series in a scrape."""
