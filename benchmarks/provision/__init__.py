"""How long a deploy takes beside a plain shell script, and a second run beside Ansible."""
