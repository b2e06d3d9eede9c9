"""The panels, one function each, in one file per question that a trader asks."""
