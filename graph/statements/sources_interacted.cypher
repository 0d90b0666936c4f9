// Users at which an edge to each of $ids begins: $limit of them, by a hash of the edge (graph/hops.py)
UNWIND range(0, size($ids) - 1) AS place
MATCH (n:Item {id: $ids[place]})
CALL (n) {
  MATCH (n)<-[r:INTERACTED]-(m:User)
  WITH m ORDER BY (id(r) % $prime * $factor + $shift) % $prime, m.id LIMIT $limit
  RETURN collect(m.id) AS sources
}
RETURN place, sources
ORDER BY place
