"""`tinykit-ops monitoring`: what a Prometheus and a Grafana are given."""

from __future__ import annotations

from pathlib import Path

import click

inventory_option = click.option(
    "--inventory",
    type=click.Path(path_type=Path),
    help="The inventory whose hosts are meant.",
)


@click.group()
def command() -> None:
    """Print what a Prometheus or a Grafana reads. Nothing is changed anywhere."""


@command.command()
@inventory_option
def rules(inventory: Path | None) -> None:
    """Print alert rules for Prometheus, with the bounds of `watch` in the inventory if given."""
    from tinykit_ops.monitoring.prometheus import alert_rules
    from tinykit_ops.settings.inventory import validate_inventory

    hosts = validate_inventory(inventory) if inventory else []
    click.echo(alert_rules(hosts), nl=False)


@command.command()
@click.option(
    "--inventory",
    type=click.Path(path_type=Path),
    required=True,
    help="The inventory whose hosts are meant.",
)
def scrape(inventory: Path) -> None:
    """Print `scrape_configs` for Prometheus: the hosts of an inventory that have metrics."""
    from tinykit_ops.monitoring.prometheus import scrape_configs
    from tinykit_ops.settings.inventory import validate_inventory

    click.echo(scrape_configs(validate_inventory(inventory)), nl=False)


@command.command()
def dashboard() -> None:
    """Print a Grafana dashboard as JSON, for Dashboards → Import."""
    from tinykit_ops.monitoring import dashboard as module

    click.echo(module.dashboard(), nl=False)
