// The paths by which recommend reaches given items: user -> trigger -> item, the strongest of each item first.
// :param user => '1';          id of the user
// :param items => ['1', '2'];  ids of the items
// :param m => 300;             triggers: the user's interactions with the greatest weights
// :param k => 100;             neighbours of each trigger
// :param generation => null;   id of the generation; null: the one of the bucket
// :param bucket => null;       0 to 9999, of a user: below share * 10000 the challenger's weights; null: the live ones
OPTIONAL MATCH (serving:Serving {id: 'weights'})
WITH coalesce($generation, CASE WHEN $bucket < serving.share * 10000 THEN serving.challenger END,
              serving.generation) AS id
MATCH (g:Generation {id: id})
WITH g.id AS generation, g.weight_property AS weight_property, coalesce(g.repeat_power, 1.0) AS power
CALL () {
  UNWIND $items AS id
  MATCH (item:Item {id: id})
  RETURN collect(DISTINCT item) AS items
}
MATCH (:User {id: $user})-[r:INTERACTED]->(trigger)
WHERE r[weight_property] IS NOT NULL
WITH generation, power, items, trigger, r[weight_property] AS weight
ORDER BY weight DESC, trigger.id LIMIT $m
MATCH (trigger)-[s:SIMILAR {trigger: trigger.id, generation: generation}]->(item)
USING INDEX s:SIMILAR(trigger, generation, rank, weight)
WHERE s.rank <= $k AND s.weight > 0 AND item IN items
WITH item, trigger, s, CASE WHEN item = trigger THEN weight ^ power ELSE weight END AS weight
RETURN item.id AS item, trigger.id AS trigger, trigger.title AS trigger_title,
       weight AS trigger_weight, s.weight AS similar_weight, log(1 + weight * s.weight) AS path
ORDER BY item, path DESC, trigger
