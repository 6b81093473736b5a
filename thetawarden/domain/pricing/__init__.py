"""What an option is worth and what its price says: prices, Greeks and implied volatilities."""
