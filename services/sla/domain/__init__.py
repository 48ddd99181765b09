"""What the clocks of a ticket are and what each fact does to them. Pure: instants and rules are arguments."""
