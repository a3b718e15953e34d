"""The site that the screenshots show."""
