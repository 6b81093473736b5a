"""What a chain of quotes says about the market: forwards, smiles, skew and odds."""
