// $user: id; $profile: names of the profile properties. All edges of a user as aligned lists, as snapshot_interacted has
// them. The SET locks the user until the end of the transaction before anything is read: no event comes meanwhile.
MATCH (u:User {id: $user})
SET u.stale = true
WITH u
CALL (u) {
  MATCH (u)-[r:INTERACTED]->(i:Item)
  RETURN collect(i.id) AS items, collect(r.count) AS counts,
         collect(coalesce(r.positions, [])) AS positions, collect(coalesce(r.times, [])) AS times,
         collect(coalesce(r.sessions, [])) AS sessions, collect(coalesce(r.quantities, [])) AS quantities,
         collect(coalesce(r.values, [])) AS values, collect(coalesce(r.places, [])) AS places
}
RETURN u.id AS id, [name IN $profile | u[name]] AS profile, u.pursues_state AS pursues_state,
       items, counts, positions, times, sessions, quantities, values, places
