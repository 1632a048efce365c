"""The command line. Modules here import heavy libraries only inside commands, so that `--help` is quick."""
