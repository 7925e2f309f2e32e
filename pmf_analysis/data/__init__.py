"""What we know: the contract of every table, the store of vintages, and the fictional council."""
