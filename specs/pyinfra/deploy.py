"""A pyinfra deploy that looks at Exchange servers: pyinfra specs/pyinfra/inventory.py
specs/pyinfra/deploy.py
"""

from pyinfra import host, logger

from goexchange.pyinfra_deploy import operations
from goexchange.pyinfra_deploy.facts import HostFacts, MailboxDatabases, ServerFacts

server = host.get_fact(ServerFacts)
logger.info(f"{server['name']}: Exchange build {server['build']}")

for name, database in host.get_fact(MailboxDatabases).items():
    logger.info(f"{server['name']}: {name}: mounted {database['is_mounted']}")

for volume in host.get_fact(HostFacts)["volumes"]:
    logger.info(f"{server['name']}: {volume['mount_point']} {volume['free_bytes']} bytes free")

operations.exchange_cmdlet(
    name="Look for moves under way",
    cmdlet="Get-MoveRequest",
    parameters={"MoveStatus": "InProgress"},
)
