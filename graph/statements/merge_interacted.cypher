// $rows: maps with user, item and all properties of an edge, null for the ones that it has not; both nodes are there.
// last_time comes in seconds since 1970 UTC. Each property is named: `SET r += row` makes the plan wait for all rows.
UNWIND $rows AS row
MATCH (u:User {id: row.user})
MATCH (i:Item {id: row.item})
MERGE (u)-[r:INTERACTED]->(i)
SET r.count = row.count,
    r.kind = row.kind,
    r.last_time = CASE WHEN row.last_time IS NOT NULL THEN datetime({epochSeconds: row.last_time}) END,
    r.last_position = row.last_position,
    r.positions = row.positions,
    r.times = row.times,
    r.sessions = row.sessions,
    r.quantities = row.quantities,
    r.values = row.values,
    r.places = row.places
