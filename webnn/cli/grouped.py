"""What `webnn --help` lists: the commands by what somebody wants to do."""

import click

GROUPS = {
    "Make a run": ("new", "import", "validate", "push", "train", "create", "copy"),
    "Watch it": ("list", "status", "watch", "plot", "logs", "cost"),
    "Lead it": ("pause", "start", "stop", "reset", "retrain", "budget", "rollback", "unmerge", "delete"),
    "The model": ("evaluate", "export", "save"),
    "What it was made of": ("ledger", "replay"),
    "Stages": ("demo", "dev", "deploy", "destroy", "doctor", "policies", "redrive"),
    "Beside these": ("contribute", "simulate", "rules", "completion"),
}


class Grouped(click.Group):
    """A command whose subcommands are listed in groups."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists every subcommand in its group, with all of its first sentence."""
        width = max(map(len, self.commands))
        for title, names in GROUPS.items():
            rows = [(name.ljust(width), self.commands[name].get_short_help_str(limit=80)) for name in names]
            with formatter.section(title):
                formatter.write_dl(rows)
