"""What a person can do with a workspace: the one set of calls beneath the CLI and the TUI."""
