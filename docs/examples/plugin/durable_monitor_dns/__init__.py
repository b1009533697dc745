"""A plug-in for Durable Monitor: the kind `dns`."""
