"""The practice gateway: a simulated market, exchange and account behind the real TWS protocol."""
