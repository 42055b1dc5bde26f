"""`webnn budget`: what a run may cost."""

import click
from rich.console import Console

from webnn.cli import completion
from webnn.cli import stage as stages
from webnn.prices import money


@click.command()
@completion.run
@click.argument("dollars", type=float, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@stages.option
def budget(name: str, dollars: float | None, as_json: bool, stage: str) -> None:
    """Show a run's budget, or give it another, in DOLLARS.

    A run that was paused because it had spent its budget goes on, if the new one allows it.
    """
    services = stages.services(stage)
    goes_on = dollars is not None and services.budget.change(name, dollars)
    found, reason = services.budget.of(name), services.budget.reason(name)
    if as_json:
        status = str(services.catalog.head(name).status)
        stages.print_json({"run": name, "budget": found, "status": status, "started": goes_on, "reason": reason})
        return
    said = f"{name} has no budget" if found is None else f"The budget of {name} is {money(found)}"
    more = "; it goes on" if goes_on else f"; it is paused: {reason}" if reason else ""
    Console().print(f"{said}{more}.", highlight=False, markup=False, soft_wrap=True)
