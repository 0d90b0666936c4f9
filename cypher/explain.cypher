// Why an item for a user: every stored path, whether it is served (within m and k) and, if so, its share of the score.
// The served paths come first, the strongest first. One row with trigger = null: no path is stored.
// :param user => '1';          id of the user
// :param item => '2';          id of the item
// :param m => 300;             triggers: the user's interactions with the greatest weights
// :param k => 100;             neighbours of each trigger
// :param bucket => null;       0 to 9999, of a user: below share * 10000 the challenger's weights; null: the live ones
MATCH (serving:Serving {id: 'weights'})
MATCH (g:Generation {
  id: coalesce(CASE WHEN $bucket < serving.share * 10000 THEN serving.challenger END, serving.generation)
})
WITH g.id AS generation, g.weight_property AS weight_property, g.direct_property AS direct_property,
     coalesce(g.repeat_power, 1.0) AS power,
     CASE WHEN g.id = serving.generation THEN 'control' ELSE 'challenger' END AS variant
MATCH (u:User {id: $user})
MATCH (item:Item {id: $item})
CALL (u, item, generation, weight_property, power) {
  MATCH (u)-[r:INTERACTED]->(trigger)
  WHERE r[weight_property] IS NOT NULL
  WITH item, generation, power, trigger, r[weight_property] AS weight ORDER BY weight DESC, trigger.id
  WITH item, generation, power, collect({trigger: trigger, weight: weight}) AS triggers
  UNWIND range(0, size(triggers) - 1) AS place
  WITH item, generation, power, place + 1 AS trigger_rank, triggers[place].trigger AS trigger,
       triggers[place].weight AS weight
  MATCH (trigger)-[s:SIMILAR]->(item)
  WHERE s.generation = generation
  WITH trigger_rank, s, trigger, CASE WHEN item = trigger THEN weight ^ power ELSE weight END AS weight
  WITH trigger_rank, s.rank AS similar_rank, trigger, weight AS trigger_weight, s.weight AS similar_weight,
       log(1 + weight * s.weight) AS path, trigger_rank <= $m AND s.rank <= $k AS served
  ORDER BY served DESC, path DESC, trigger.id
  RETURN collect({trigger: trigger.id, trigger_title: trigger.title, trigger_rank: trigger_rank,
                  similar_rank: similar_rank, trigger_weight: trigger_weight, similar_weight: similar_weight,
                  path: path, served: served}) AS paths
}
WITH generation, variant, power, item, paths, u[direct_property] AS p, item[direct_property] AS q,
     reduce(total = 0.0, one IN paths | total + CASE WHEN one.served THEN one.path ELSE 0.0 END) AS path
WITH generation, variant, power, item, paths, path,
     CASE WHEN size(p) > 0 AND size(q) > 0
       THEN reduce(dot = 0.0, x IN range(0, size(p) - 1) | dot + p[x] * q[x]) END AS dot
WITH generation, variant, power, item, paths, path,
     coalesce(CASE WHEN dot > 0 THEN dot ELSE 0.0 END + log(1 + exp(-abs(dot))), 0.0) AS direct
WITH generation, variant, power, item, paths, direct, direct + path AS score
UNWIND CASE WHEN size(paths) = 0 THEN [null] ELSE paths END AS one
RETURN one.trigger AS trigger, one.trigger_title AS trigger_title,
       one.trigger_weight AS trigger_weight, one.similar_weight AS similar_weight, one.path AS path,
       one.served AS served, CASE WHEN one.served AND score > 0 THEN one.path / score ELSE 0.0 END AS share,
       one.trigger_rank AS trigger_rank, one.similar_rank AS similar_rank,
       item.title AS title, score, direct, generation, variant, power AS repeat_power
