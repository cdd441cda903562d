"""``access-patterns`` and ``iam``: what models say of themselves. Nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import click

from dynamorm_async import Table
from dynamorm_async import access_patterns as patterns_of
from dynamorm_async.cli.command import Command
from dynamorm_async.cli.finding import Models, tables_and_models
from dynamorm_async.cli.showing import json_option, show_json
from dynamorm_async.plan.policy import Access, iam_policy


@click.command(
    "access-patterns",
    cls=Command,
    short_help="What models can be read by.",
    examples=["access-patterns shop", "access-patterns shop:User --json"],
)
@click.argument("models", type=Models(), nargs=-1, required=True)
@json_option
def access_patterns(models: Sequence[Sequence[type | Table]], *, as_json: bool) -> None:
    """Print what models can be read by without a scan, as Markdown."""
    found = patterns_of(*tables_and_models(models))
    if as_json:
        show_json(found)
    else:
        click.echo(found.markdown(), nl=False)


@click.command(
    cls=Command,
    short_help="The IAM policy that models need.",
    examples=[
        "iam shop --access read-write",
        "iam shop:User --access read --leading-keys 'TENANT#${aws:PrincipalTag/tenant}'",
    ],
)
@click.argument("models", type=Models(), nargs=-1, required=True)
@click.option(
    "--access",
    type=click.Choice(get_args(Access)),
    multiple=True,
    required=True,
    help="What is allowed; may be given several times.",
)
@click.option("--scan", is_flag=True, help="Scans, too.")
@click.option("--partiql", is_flag=True, help="PartiQL statements, too.")
@click.option("--leading-keys", multiple=True, help="The partition keys that items may have; * and ? are wildcards.")
@click.option("--region", default="*", show_default=True, help="The region of the tables.")
@click.option("--account", default="*", show_default=True, help="The account of the tables, 12 digits.")
@click.option("--partition", default="aws", show_default=True, help="The partition of AWS.")
@click.option("--table-prefix", default="", envvar="DYNAMORM_TABLE_PREFIX", help="Put before every table's name.")
def iam(
    models: Sequence[Sequence[type | Table]],
    *,
    access: Sequence[Access],
    scan: bool,
    partiql: bool,
    leading_keys: Sequence[str],
    region: str,
    account: str,
    partition: str,
    table_prefix: str,
) -> None:
    """Print the IAM policy that lets a principal do with models what this library does, and nothing else: as JSON."""
    policy = iam_policy(
        *tables_and_models(models),
        access=access,
        scan=scan,
        partiql=partiql,
        leading_keys=leading_keys or None,
        region=region,
        account=account,
        partition=partition,
        table_prefix=table_prefix,
    )
    show_json(policy)
