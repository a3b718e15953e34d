"""A site's own logic: plugins hear what happened, decide where they are asked, and command through a `Site`.

```python
from mcpp.plugins import Site, TransactionStopped, hookimpl

@hookimpl
async def transaction_stopped(event: TransactionStopped, site: Site) -> None:
    site.log.info("bill", category="transaction", energy_wh=event.energy_wh)
```
"""

from __future__ import annotations

from mcpp.plugins.hookspecs import HookSpecs, hookimpl
from mcpp.plugins.site import ChargePointState, ConnectorState, Scheduled, Site

__all__ = ["ChargePointState", "ConnectorState", "HookSpecs", "Scheduled", "Site", "hookimpl"]
