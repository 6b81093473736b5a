"""One module a rule of the specification; each answers a case with its findings."""
