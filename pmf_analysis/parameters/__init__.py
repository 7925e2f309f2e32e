"""What the user declares: strict YAML to frozen models, and the register of indicators."""
