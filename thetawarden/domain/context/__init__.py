"""The market as a whole: what its history and its leads say, as readings with an age."""
