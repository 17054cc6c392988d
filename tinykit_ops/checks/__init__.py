"""`tinykit-ops check`: the production checklist, looked at on a live instance.

- `model`: what a check declares and what a verdict is
- `registry`: how checks are declared and found; `areas/` holds them, one module an area
- `context`: the ways to look; `http`, `tls`, `ports` from outside, `host` on the host
- `runner`: runs checks and makes the report that `tinykit_ops.report` prints
"""
