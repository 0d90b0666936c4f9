// $items: item ids, each once; $users: maps {id, edges}; an edge is a list of its item's place in $items and all
// properties in the order below, null for the ones that it has not; the nodes are there. last_time comes in seconds since
// 1970 UTC. Each property is named: `SET r += row` makes the plan wait for all rows.
UNWIND $items AS id
OPTIONAL MATCH (i:Item {id: id})
WITH collect({node: i}) AS items
UNWIND $users AS user
MATCH (u:User {id: user.id})
UNWIND user.edges AS edge
WITH u, edge, items[edge[0]].node AS i WHERE i IS NOT NULL
MERGE (u)-[r:INTERACTED]->(i)
SET r.count = edge[1],
    r.kind = edge[2],
    r.last_time = CASE WHEN edge[3] IS NOT NULL THEN datetime({epochSeconds: edge[3]}) END,
    r.last_position = edge[4],
    r.positions = edge[5],
    r.times = edge[6],
    r.sessions = edge[7],
    r.quantities = edge[8],
    r.values = edge[9],
    r.places = edge[10]
