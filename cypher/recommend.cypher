// Items for a user, best first (PDN eq. 14): softplus of the direct product, plus the sum over the user's top triggers
// of log(1 + trigger weight * similar weight). Unavailable items are out. The direct part, which costs most, is worked
// out for the best `shortlist` candidates by their paths.
// :param user => '1';          id of the user
// :param m => 300;             triggers: the user's interactions with the greatest weights
// :param k => 100;             neighbours of each trigger
// :param n => 10;              items to return
// :param shortlist => 300;     candidates that get their direct path
// :param repeats => false;     true: items that the user had already may come again
MATCH (serving:Serving {id: 'weights'})
MATCH (g:Generation {id: serving.generation})
WITH g.id AS generation, g.weight_property AS weight_property, g.direct_property AS direct_property
MATCH (u:User {id: $user})
CALL (u, generation, weight_property) {
  WITH u, generation, weight_property,
       CASE WHEN $repeats THEN [] ELSE COLLECT { MATCH (u)-[:INTERACTED]->(had) RETURN had } END AS seen
  CALL (u, generation, weight_property) {
    MATCH (u)-[r:INTERACTED]->(trigger)
    WHERE r[weight_property] IS NOT NULL
    WITH generation, trigger, r[weight_property] AS weight
    ORDER BY weight DESC, trigger.id LIMIT $m
    MATCH (trigger)-[s:SIMILAR]->(item)
    WHERE s.generation = generation AND s.rank <= $k
    RETURN item, sum(log(1 + weight * s.weight)) AS path
  }
  // Sorted once, then filtered as far down as the limit needs: what is filtered out cannot shorten the list.
  WITH seen, item, path ORDER BY path DESC
  WITH item, path WHERE NOT item IN seen AND coalesce(item.available, true)
  RETURN item, path ORDER BY path DESC LIMIT $shortlist
}
WITH generation, item, path, u[direct_property] AS p, item[direct_property] AS q
WITH generation, item, path,
     CASE WHEN size(p) > 0 AND size(q) > 0
       THEN reduce(dot = 0.0, x IN range(0, size(p) - 1) | dot + p[x] * q[x]) END AS dot
WITH generation, item, path,
     coalesce(CASE WHEN dot > 0 THEN dot ELSE 0.0 END + log(1 + exp(-abs(dot))), 0.0) AS direct
WITH generation, item, direct + path AS score, direct ORDER BY score DESC, item.id LIMIT $n
RETURN item.id AS id, item.title AS title, score, direct, generation
ORDER BY score DESC, id
