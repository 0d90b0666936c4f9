// $pairs: lists [user, item]; the edges of these pairs that are there, in one row, each a list of the columns of
// `moments.EDGE_COLUMNS`, with last_time in seconds
UNWIND $pairs AS pair
MATCH (u:User {id: pair[0]})-[r:HELD_OUT]->(i:Item {id: pair[1]})
RETURN collect([
  u.id, i.id, r.count, r.kind, r.last_time.epochSeconds, r.last_position,
  r.positions, r.times, r.sessions, r.quantities, r.values, r.places
]) AS edges
