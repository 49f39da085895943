"""`python -m prune_fair`."""

from prune_fair.cli import main

main()
