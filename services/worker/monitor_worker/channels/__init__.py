"""The drivers of the channels by which notices are delivered: one module for each kind, loaded when needed."""
