"""Thetawarden: supervised actors that sell options premium and protect the money first."""
