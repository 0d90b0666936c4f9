// $all: false: only users whose events, links or settings are not those that their intents were worked out from;
// $links: what those were. One row a user, edges as aligned lists; a row has [] where an edge knows no times.
MATCH (u:User)
CALL (u) {
  MATCH (u)-[r:INTERACTED]->(i:Item)
  WITH i.id AS item, r.count AS count, coalesce(r.times, []) AS times, coalesce(r.positions, []) AS positions
  RETURN collect(item) AS items, collect(count) AS counts, collect(times) AS times, collect(positions) AS positions,
         sum(count) AS events, sum(reduce(total = 0, t IN times | total + t)) AS moments
}
WITH *, [$links, toString(events), toString(moments), toString(size(items))] AS state
WHERE $all OR coalesce(u.pursues_state, []) <> state
RETURN u.id AS user, items, counts, times, positions, state
