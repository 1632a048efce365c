"""The dataset a run leaves behind."""
