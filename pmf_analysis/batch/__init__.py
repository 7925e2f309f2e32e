"""Plan, execute and record a run."""
