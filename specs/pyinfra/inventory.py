"""A pyinfra inventory: the Exchange servers of goexchange's own inventory.

GOEXCHANGE_INVENTORY names the file or folder; `goexchange lab up FOLDER` writes FOLDER/inventory.
"""

import os

from goexchange.pyinfra_deploy import hosts

exchange = hosts(os.environ.get("GOEXCHANGE_INVENTORY", "inventory"))
