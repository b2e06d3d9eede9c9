from __future__ import annotations

import sys

# grafana-foundation-sdk, which builds the boards, needs 3.11; the boards themselves are data and the same everywhere.
collect_ignore = ["test_dashboards.py", "test_own_boards.py"] if sys.version_info < (3, 11) else []
