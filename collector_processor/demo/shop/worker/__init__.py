"""Worker: receipts, invoices, webhooks, payouts, reconciliation. Jobs come over HTTP."""
