"""What ordinary pyinfra inventory and deploy files use: hosts, facts, operations that only read.

Shape: `hosts` is here; facts are in `goexchange.pyinfra_deploy.facts`, operations in
`goexchange.pyinfra_deploy.operations`.
"""

from __future__ import annotations

from goexchange.pyinfra_deploy.hosts import hosts as hosts
