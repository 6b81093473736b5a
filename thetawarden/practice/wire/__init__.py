"""The TWS protocol as bytes: framing, fields, requests in, messages out. No sockets, no state."""
