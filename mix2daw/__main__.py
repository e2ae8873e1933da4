"""`python -m mix2daw`: the command line."""

from mix2daw.cli import main

main()
