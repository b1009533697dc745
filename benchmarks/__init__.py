"""What is claimed of the cost of things, measured: a module each, all of them run by `make bench`."""
