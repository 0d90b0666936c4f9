// Items for somebody whom the graph does not know: recommend, from triggers and a vector that are given.
// :param triggers => [{id: '1', weight: 1.0}];  items of the session, each once, and their weights e^t
// :param direct => [];         vector p of the session; empty: no direct part
// :param m => 300;             triggers: those with the greatest weights
// :param k => 100;             neighbours of each trigger
// :param n => 10;              items to return
// :param shortlist => 150;     candidates that get their direct path: 50 + 10 n
// :param category => null;     id of a browse node: only items in it or below it; null: all
// :param min_price => null;    least price; items without a price are left out; null: any
// :param max_price => null;    greatest price; the same
// :param exclude => [];        ids of items to leave out
// :param generation => null;   id of the generation; null: the live one
OPTIONAL MATCH (serving:Serving {id: 'weights'})
WITH coalesce($generation, serving.generation) AS id
MATCH (g:Generation {id: id})
WITH g.id AS generation, g.direct_property AS direct_property, g.length_property AS length_property,
     coalesce(g.repeat_power, 1.0) AS power,
     sqrt(reduce(total = 0.0, x IN $direct | total + x * x)) AS length
CALL (generation, power) {
  WITH generation, power,
       COLLECT { MATCH (below:BrowseNode)-[:CHILD_OF*0..]->(:BrowseNode {id: $category}) RETURN below } AS within
  CALL (generation, power) {
    UNWIND $triggers AS given
    MATCH (trigger:Item {id: given.id})
    WITH generation, power, trigger, given.weight AS weight
    ORDER BY weight DESC, trigger.id LIMIT $m
    MATCH (trigger)-[s:SIMILAR {trigger: trigger.id, generation: generation}]->(item)
    USING INDEX s:SIMILAR(trigger, generation, rank, weight)
    WHERE s.rank <= $k AND s.weight > 0
    RETURN item, sum(log(1 + CASE WHEN item = trigger THEN weight ^ power ELSE weight END * s.weight)) AS path
  }
  WITH within, item, path ORDER BY path DESC
  WITH within, item, path WHERE NOT item.id IN $exclude AND coalesce(item.available, true)
    AND ($min_price IS NULL OR item.price >= $min_price) AND ($max_price IS NULL OR item.price <= $max_price)
    AND ($category IS NULL OR EXISTS { MATCH (item)-[:IN_CATEGORY]->(node) WHERE node IN within })
  RETURN item, path ORDER BY path DESC, item.id LIMIT $shortlist
}
WITH generation, item, path, item[direct_property] AS q, length * item[length_property] AS lengths
WITH generation, item, path, q,
     CASE WHEN size($direct) = size(q) AND lengths > 0 THEN (2 * vector.similarity.cosine($direct, q) - 1) * lengths
       WHEN size($direct) = size(q) AND size(q) > 0 THEN 0.0 END AS dot
WITH generation, item, path, q,
     path + coalesce(CASE WHEN dot > 0 THEN dot ELSE 0.0 END + log(1 + exp(-abs(dot))), 0.0) AS about
ORDER BY about DESC, item.id LIMIT $n + 5
WITH generation, item, path,
     CASE WHEN size($direct) > 0 AND size(q) = size($direct)
       THEN reduce(dot = 0.0, x IN range(0, size(q) - 1) | dot + $direct[x] * q[x]) END AS dot
WITH generation, item, path,
     coalesce(CASE WHEN dot > 0 THEN dot ELSE 0.0 END + log(1 + exp(-abs(dot))), 0.0) AS direct
WITH generation, item, direct + path AS score, direct ORDER BY score DESC, item.id LIMIT $n
RETURN item.id AS id, item.title AS title, score, direct, generation
ORDER BY score DESC, id
