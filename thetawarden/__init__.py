"""Thetawarden: supervised actors that sell options premium and protect the money first."""

__version__ = "0.1.0"
