"""Write the table of support into a README: `python -m otel_trading.instrumentation README.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from otel_trading.instrumentation.supported import BEGIN, END, markdown

for name in sys.argv[1:]:
    file = Path(name)
    before, _, rest = file.read_text(encoding="utf-8").partition(BEGIN)
    file.write_text(f"{before}{BEGIN}\n\n{markdown()}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
