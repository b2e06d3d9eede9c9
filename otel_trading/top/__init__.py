"""The overview live in the terminal, from what Prometheus holds.

`queries` writes one expression from the convention, `prometheus` asks it, `picture` turns the reply into figures,
`alerts` reads what fires, `parts` and `render` draw, `live` keeps it fresh. The demo's board draws with the same parts.
"""
