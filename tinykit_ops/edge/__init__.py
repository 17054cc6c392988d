"""The reverse proxy: which routes there are, who may use them, and how proxies are told."""
