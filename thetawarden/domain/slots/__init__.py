"""The ledger of market data lines: who gets one, who waits, who is asked for by snapshot."""
