"""The graphs on a server for others: who may call, what they may ask for, and datasets as background jobs."""
