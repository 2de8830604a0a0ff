"""`python -m plexstedi`."""

from plexstedi.cli.main import main

if __name__ == "__main__":
    main()
