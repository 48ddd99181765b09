"""What intake decides, without IO, clock or randomness: tickets in, decisions out."""
