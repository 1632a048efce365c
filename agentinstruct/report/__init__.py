"""What a run comes to, on one page that a person likes to look at."""
