"""What the data mean: pure functions, table in, table out; the only arithmetic."""
