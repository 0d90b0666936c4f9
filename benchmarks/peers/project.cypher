// Items and their buyers as a graph in memory, edges from an item to its users.
CALL gds.graph.project('shop', ['Item', 'User'], {INTERACTED: {orientation: 'REVERSE'}}) YIELD relationshipCount
RETURN relationshipCount AS edges
