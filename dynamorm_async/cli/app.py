"""The ``dynamorm`` command with all its commands."""

from __future__ import annotations

import click

from dynamorm_async.cli.backfilling import backfill
from dynamorm_async.cli.command import Group
from dynamorm_async.cli.documents import access_patterns, iam
from dynamorm_async.cli.finding import import_from_here
from dynamorm_async.cli.migrating import migrate
from dynamorm_async.cli.moving import export, import_
from dynamorm_async.cli.reading import explain, get, query, scan
from dynamorm_async.cli.tables import apply, diff, plan


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="dynamorm-async", prog_name="dynamorm")
def app() -> None:
    """Tables, migrations and items of dynamorm-async models.

    Models are named as module:attribute, such as shop.models:User: a model, a Table, or a list of them; a module alone is all
    models that it declares. The current folder is importable. Requests go where --region, --endpoint, --profile and the
    environment say, or through --database module:attribute.
    """
    import_from_here()


for command in (diff, plan, apply, migrate, backfill, get, query, scan, explain, export, import_, access_patterns, iam):
    app.add_command(command)
