"""``python -m deepradiomics`` is the command line."""

from deepradiomics.cli.main import main

if __name__ == "__main__":
    main()
