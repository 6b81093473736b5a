"""Thetawarden: supervised actors that sell options premium and protect the money first."""

import os

from thetawarden import numerics

__version__ = "0.1.0"

numerics.pin(os.environ, numerics.what_it_can())
