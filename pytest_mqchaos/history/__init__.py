"""One timeline of what happened: rows, the ledger of effects, message identity."""
