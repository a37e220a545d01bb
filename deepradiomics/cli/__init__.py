"""The command line: ``deepradiomics <command>``, a file per command, assembled in :mod:`deepradiomics.cli.main`."""
