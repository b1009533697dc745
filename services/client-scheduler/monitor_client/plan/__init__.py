"""What a number of monitors takes: actions of the scheduler, and workers. Nothing in here asks anybody."""
