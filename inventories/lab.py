"""The hosts of a lab (`tinykit-ops lab up`), for pyinfra.

    pyinfra inventories/lab.py deploys/full.py

TINYKIT_LAB names the lab, TINYKIT_LAB_USER=ops logs in as a user with sudo, TINYKIT_LAB_HOSTS
picks hosts ("tk-1,tk-2"), TINYKIT_LAB_APP is a release archive of tinykit (else the contract app).
"""

from tinykit_ops.lab.pyinfra_hosts import hosts_for_pyinfra
from tinykit_ops.settings import check_inventory

hosts = hosts_for_pyinfra()

check_inventory(__file__)
