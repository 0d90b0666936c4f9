// How much the store holds, from the database's own counters: takes no time at any size.
RETURN COUNT { (:User) } AS users, COUNT { (:Item) } AS items, COUNT { (:BrowseNode) } AS browse_nodes,
       COUNT { ()-[:INTERACTED]->() } AS interactions, COUNT { ()-[:HELD_OUT]->() } AS held_out
