// One row a user, its edges as aligned lists. A list of lists has [] where an edge does not know that column.
MATCH (u:User)
CALL (u) {
  MATCH (u)-[r:HELD_OUT]->(i:Item)
  RETURN collect(i.id) AS items, collect(r.count) AS counts,
         collect(coalesce(r.positions, [])) AS positions, collect(coalesce(r.times, [])) AS times,
         collect(coalesce(r.sessions, [])) AS sessions, collect(coalesce(r.quantities, [])) AS quantities,
         collect(coalesce(r.values, [])) AS values, collect(coalesce(r.places, [])) AS places
}
WITH * WHERE size(items) > 0
RETURN u.id AS user, items, counts, positions, times, sessions, quantities, values, places
