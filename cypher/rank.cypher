// Scores of given items for a user, best first: the formula, m and k of recommend, whether seen, available or not. An
// item that no path reaches has its direct part only.
// :param user => '1';          id of the user
// :param items => ['1', '2'];  ids of the items
// :param m => 300;             triggers: the user's interactions with the greatest weights
// :param k => 100;             neighbours of each trigger
// :param bucket => null;       0 to 9999, of a user: below share * 10000 the challenger's weights; null: the live ones
MATCH (serving:Serving {id: 'weights'})
MATCH (g:Generation {
  id: coalesce(CASE WHEN $bucket < serving.share * 10000 THEN serving.challenger END, serving.generation)
})
WITH g.id AS generation, g.weight_property AS weight_property, g.direct_property AS direct_property,
     coalesce(g.repeat_power, 1.0) AS power
MATCH (u:User {id: $user})
WITH generation, direct_property, weight_property, power, u, u[direct_property] AS p
CALL () {
  UNWIND $items AS id
  MATCH (item:Item {id: id})
  RETURN collect(DISTINCT item) AS items
}
CALL (u, generation, weight_property, power, items) {
  UNWIND items AS item
  RETURN item, 0.0 AS part
  UNION ALL
  MATCH (u)-[r:INTERACTED]->(trigger)
  WHERE r[weight_property] IS NOT NULL
  WITH generation, power, items, trigger, r[weight_property] AS weight
  ORDER BY weight DESC, trigger.id LIMIT $m
  MATCH (trigger)-[s:SIMILAR {trigger: trigger.id, generation: generation}]->(item)
  USING INDEX s:SIMILAR(trigger, generation, rank, weight)
  WHERE s.rank <= $k AND s.weight > 0 AND item IN items
  RETURN item, log(1 + CASE WHEN item = trigger THEN weight ^ power ELSE weight END * s.weight) AS part
}
WITH generation, direct_property, p, item, sum(part) AS path
WITH generation, item, path, p, item[direct_property] AS q
WITH generation, item, path,
     CASE WHEN size(p) > 0 AND size(q) > 0
       THEN reduce(dot = 0.0, x IN range(0, size(p) - 1) | dot + p[x] * q[x]) END AS dot
WITH generation, item, path,
     coalesce(CASE WHEN dot > 0 THEN dot ELSE 0.0 END + log(1 + exp(-abs(dot))), 0.0) AS direct
RETURN item.id AS id, direct + path AS score, direct, generation
ORDER BY score DESC, id
