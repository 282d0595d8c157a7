"""Records of a run: their chain, their lines, and the state that replaying them gives."""
