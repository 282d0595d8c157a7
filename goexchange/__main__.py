"""`python -m goexchange` is the `goexchange` command."""

from __future__ import annotations

from goexchange.cli.main import main

main()
