"""Virtual time: the real protocol and use cases, with actors, networks, queues and clocks of the simulation's own."""
