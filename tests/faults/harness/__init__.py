"""A whole system under load, somebody who kills its parts, and somebody who counts what became of everything."""
