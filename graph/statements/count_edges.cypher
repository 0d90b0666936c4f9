// From the database's own counters: takes no time at any size.
RETURN COUNT { ()-[:INTERACTED]->() } AS interacted, COUNT { ()-[:HELD_OUT]->() } AS held_out
