"""Judges a user's rules, thresholds and boards by the convention, and ours by the same yardstick.

`files.check` reads files and folders; `rules` and `boards` judge one of them; `expressions` one PromQL expression.
Needs the extra `check`: a bot that only sends metrics installs neither a YAML nor a PromQL parser.
"""
