"""A local web page over a run: every record and every drop, searchable, with its whole lineage."""
