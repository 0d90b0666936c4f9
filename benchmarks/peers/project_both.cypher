// Items and their buyers as a graph in memory, edges both ways.
CALL gds.graph.project('both', ['Item', 'User'], {INTERACTED: {orientation: 'UNDIRECTED'}}) YIELD relationshipCount
RETURN relationshipCount AS edges
