"""Many hosts in one inventory: time against their number, beside Ansible."""
