"""The `webnn` command."""
