"""What becomes of a mail that was taken in: read, told apart, threaded, decided, settled."""
