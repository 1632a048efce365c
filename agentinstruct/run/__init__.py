"""The run: seeds in, records out, at any size, surviving anything."""
