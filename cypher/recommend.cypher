// Items for a user, best first (PDN eq. 14): softplus of the direct product, plus the sum over the user's top triggers
// of log(1 + trigger weight * similar weight); the weight of a trigger that leads to itself counts to the generation's
// power. Unavailable items are out. The direct part, which costs most, is worked out for the best `shortlist`
// candidates by their paths: by Neo4j's own cosine, which has single precision, and in full for those that may be among
// the best `n`.
// :param user => '1';          id of the user
// :param m => 300;             triggers: the user's interactions with the greatest weights
// :param k => 100;             neighbours of each trigger
// :param n => 10;              items to return
// :param shortlist => 150;     candidates that get their direct path: 50 + 10 n
// :param repeats => false;     true: items that the user had already may come again
// :param category => null;     id of a browse node: only items in it or below it; null: all
// :param min_price => null;    least price; items without a price are left out; null: any
// :param max_price => null;    greatest price; the same
// :param exclude => [];        ids of items to leave out
// :param bucket => null;       0 to 9999, of a user: below share * 10000 the challenger's weights; null: the live ones
MATCH (serving:Serving {id: 'weights'})
MATCH (g:Generation {
  id: coalesce(CASE WHEN $bucket < serving.share * 10000 THEN serving.challenger END, serving.generation)
})
WITH g.id AS generation, g.weight_property AS weight_property, g.direct_property AS direct_property,
     g.length_property AS length_property, coalesce(g.repeat_power, 1.0) AS power,
     CASE WHEN g.id = serving.generation THEN 'control' ELSE 'challenger' END AS variant
MATCH (u:User {id: $user})
WITH generation, direct_property, length_property, weight_property, power, variant, u, u[direct_property] AS p
WITH generation, direct_property, length_property, weight_property, power, variant, u, p,
     sqrt(reduce(total = 0.0, x IN p | total + x * x)) AS length
CALL (u, generation, weight_property, power) {
  // Once for all candidates: what the user had, and the nodes of the category, none where it is null.
  WITH u, generation, weight_property, power,
       CASE WHEN $repeats THEN [] ELSE COLLECT { MATCH (u)-[:INTERACTED]->(had) RETURN had } END AS seen,
       COLLECT { MATCH (below:BrowseNode)-[:CHILD_OF*0..]->(:BrowseNode {id: $category}) RETURN below } AS within
  CALL (u, generation, weight_property, power) {
    MATCH (u)-[r:INTERACTED]->(trigger)
    WHERE r[weight_property] IS NOT NULL
    WITH generation, power, trigger, r[weight_property] AS weight
    ORDER BY weight DESC, trigger.id LIMIT $m
    // Every weight is above 0: asked for, it comes from the index, and no edge is read for it.
    MATCH (trigger)-[s:SIMILAR {trigger: trigger.id, generation: generation}]->(item)
    USING INDEX s:SIMILAR(trigger, generation, rank, weight)
    WHERE s.rank <= $k AND s.weight > 0
    RETURN item, sum(log(1 + CASE WHEN item = trigger THEN weight ^ power ELSE weight END * s.weight)) AS path
  }
  // Sorted once, then filtered as far down as the limit needs: what is filtered out cannot shorten the list.
  WITH seen, within, item, path ORDER BY path DESC
  WITH within, item, path WHERE NOT item IN seen AND coalesce(item.available, true)
    AND NOT item.id IN $exclude
    AND ($min_price IS NULL OR item.price >= $min_price) AND ($max_price IS NULL OR item.price <= $max_price)
    AND ($category IS NULL OR EXISTS { MATCH (item)-[:IN_CATEGORY]->(node) WHERE node IN within })
  RETURN item, path ORDER BY path DESC, item.id LIMIT $shortlist
}
WITH generation, variant, item, path, p, item[direct_property] AS q, length * item[length_property] AS lengths
WITH generation, variant, item, path, p, q,
     CASE WHEN lengths > 0 THEN (2 * vector.similarity.cosine(p, q) - 1) * lengths
       WHEN size(p) > 0 AND size(q) > 0 THEN 0.0 END AS dot
WITH generation, variant, item, path, p, q,
     path + coalesce(CASE WHEN dot > 0 THEN dot ELSE 0.0 END + log(1 + exp(-abs(dot))), 0.0) AS about
ORDER BY about DESC, item.id LIMIT $n + 5
WITH generation, variant, item, path,
     CASE WHEN size(p) > 0 AND size(q) > 0
       THEN reduce(dot = 0.0, x IN range(0, size(p) - 1) | dot + p[x] * q[x]) END AS dot
WITH generation, variant, item, path,
     coalesce(CASE WHEN dot > 0 THEN dot ELSE 0.0 END + log(1 + exp(-abs(dot))), 0.0) AS direct
WITH generation, variant, item, direct + path AS score, direct ORDER BY score DESC, item.id LIMIT $n
RETURN item.id AS id, item.title AS title, score, direct, generation, variant
ORDER BY score DESC, id
