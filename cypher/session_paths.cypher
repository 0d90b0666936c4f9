// The paths by which recommend_session reaches given items: trigger -> item, the strongest of each item first.
// :param triggers => [{id: '1', weight: 1.0}];  items of the session, each once, and their weights e^t
// :param items => ['2', '3'];  ids of the items
// :param m => 300;             triggers: those with the greatest weights
// :param k => 100;             neighbours of each trigger
// :param generation => null;   id of the generation; null: the live one
OPTIONAL MATCH (serving:Serving {id: 'weights'})
WITH coalesce($generation, serving.generation) AS id
MATCH (g:Generation {id: id})
WITH g.id AS generation, coalesce(g.repeat_power, 1.0) AS power
CALL () {
  UNWIND $items AS id
  MATCH (item:Item {id: id})
  RETURN collect(DISTINCT item) AS items
}
UNWIND $triggers AS given
MATCH (trigger:Item {id: given.id})
WITH generation, power, items, trigger, given.weight AS weight
ORDER BY weight DESC, trigger.id LIMIT $m
MATCH (trigger)-[s:SIMILAR {trigger: trigger.id, generation: generation}]->(item)
USING INDEX s:SIMILAR(trigger, generation, rank, weight)
WHERE s.rank <= $k AND s.weight > 0 AND item IN items
WITH item, trigger, s, CASE WHEN item = trigger THEN weight ^ power ELSE weight END AS weight
RETURN item.id AS item, trigger.id AS trigger, trigger.title AS trigger_title,
       weight AS trigger_weight, s.weight AS similar_weight, log(1 + weight * s.weight) AS path
ORDER BY item, path DESC, trigger
