"""How we say and show it: facts, sentences, blocks and charts."""
