"""How data gets in and goes back: raw cells, mapping files, one module a system."""
