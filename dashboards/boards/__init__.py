"""The boards, one module each: which panels stand where."""
