"""``python -m segmentry`` is the command line."""

from segmentry.apps.cli import main

main()
