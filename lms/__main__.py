"""`python -m lms`: the operator's command line."""

from lms.cli import main

main()
