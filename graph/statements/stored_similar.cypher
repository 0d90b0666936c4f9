// Of all generations, from the database's own counters: takes no time at any size.
RETURN COUNT { ()-[:SIMILAR]->() } AS similar
