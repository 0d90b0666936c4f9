// What a user still needs: user -> intents -> categories that they need and that are not covered -> items. Items come by
// their two-hop score where they have one (user -> trigger -> item, as in recommend.cypher), by popularity else; one of
// each category first.
// :param user => '1';          id of the user
// :param n => 10;              items to return
// :param intents => 3;         the user's intents with the greatest scores
// :param needs => 8;           categories of each
// :param least => 0.75;        score that a need has at least: below are things that people forget, and may not want
// :param each => 2;            items of one category at most
// :param m => 100;             triggers of the two-hop score
// :param k => 50;              neighbours of each trigger
// :param covered_days => null; a category counts as covered for so many days; null: the stored number, 0: for ever
// :param category => null;     id of a browse node: only items in it or below it; null: all
// :param min_price => null;    least price; items without a price are left out; null: any
// :param max_price => null;    greatest price; the same
// :param exclude => [];        ids of items to leave out
// :param bucket => null;       0 to 9999, of a user: below share * 10000 the challenger's weights; null: the live ones
MATCH (state:Serving {id: 'intents'})
MATCH (u:User {id: $user})
WITH u, state, coalesce($covered_days, state.covered_days) AS days
CALL (u, state, days) {
  MATCH (u)-[p:PURSUES]->(i:Intent)
  WITH u, p, i, state, days ORDER BY p.rank LIMIT $intents
  CALL (u, p, i, state, days) {
    MATCH (i)-[need:NEEDS]->(c:BrowseNode {tree: state.tree})
    WHERE need.score >= $least AND NOT EXISTS {
      MATCH (u)-[r:INTERACTED]->(:Item)-[:IN_CATEGORY]->(:BrowseNode)-[:CHILD_OF*0..]->(c)
      WHERE days = 0 OR r.last_time IS NULL OR r.last_time.epochSeconds > state.now - days * 86400
    } AND NOT EXISTS {
      MATCH (had:BrowseNode)-[:DROPPED]->(c)
      WHERE had.id IN p.categories
    }
    RETURN c, need ORDER BY need.rank LIMIT $needs
  }
  WITH c, p, i, need ORDER BY p.rank, need.rank
  RETURN c, collect({intent: i, intent_rank: p.rank, need: need.score, need_rank: need.rank})[0] AS reason
}
WITH u, collect({c: c, reason: reason}) AS wanted
OPTIONAL MATCH (serving:Serving {id: 'weights'})
OPTIONAL MATCH (g:Generation {
  id: coalesce(CASE WHEN $bucket < serving.share * 10000 THEN serving.challenger END, serving.generation)
})
WITH u, wanted, g,
     CASE WHEN g.id = serving.generation THEN 'control' WHEN g IS NOT NULL THEN 'challenger' END AS variant,
     COLLECT { MATCH (below:BrowseNode)-[:CHILD_OF*0..]->(:BrowseNode {id: $category}) RETURN below } AS within
// The two-hop scores of what the user's triggers lead to within the wanted categories.
CALL (u, wanted, g, within) {
  CALL (u, g) {
    MATCH (u)-[r:INTERACTED]->(trigger)
    WHERE r[g.weight_property] IS NOT NULL
    WITH trigger, r[g.weight_property] AS weight ORDER BY weight DESC, trigger.id LIMIT $m
    WITH g.id AS generation, coalesce(g.repeat_power, 1.0) AS power, trigger, weight
    MATCH (trigger)-[s:SIMILAR {trigger: trigger.id, generation: generation}]->(item)
    USING INDEX s:SIMILAR(trigger, generation, rank, weight)
    WHERE s.rank <= $k AND s.weight > 0
    RETURN item, sum(log(1 + CASE WHEN item = trigger THEN weight ^ power ELSE weight END * s.weight)) AS path
  }
  WITH item, path, [one IN wanted | one.c] AS categories, within
  WHERE coalesce(item.available, true) AND NOT item.id IN $exclude
    AND ($min_price IS NULL OR item.price >= $min_price) AND ($max_price IS NULL OR item.price <= $max_price)
    AND ($category IS NULL OR EXISTS { MATCH (item)-[:IN_CATEGORY]->(node) WHERE node IN within })
  MATCH (item)-[:IN_CATEGORY]->(:BrowseNode)-[:CHILD_OF*0..]->(c)
  WHERE c IN categories
  WITH DISTINCT c, item, path ORDER BY path DESC, item.id
  RETURN collect({c: c, item: item, path: path}) AS scored
}
UNWIND wanted AS one
WITH g.id AS generation, variant, within, one.c AS c, one.reason AS reason,
     [x IN scored WHERE x.c = one.c][..$each] AS scored
CALL (c, scored, within) {
  WITH c, within, [x IN scored | x.item] AS there
  MATCH (item:Item)-[:IN_CATEGORY]->(:BrowseNode)-[:CHILD_OF*0..]->(c)
  WHERE size(there) < $each AND coalesce(item.available, true) AND NOT item IN there AND NOT item.id IN $exclude
    AND ($min_price IS NULL OR item.price >= $min_price) AND ($max_price IS NULL OR item.price <= $max_price)
    AND ($category IS NULL OR EXISTS { MATCH (item)-[:IN_CATEGORY]->(node) WHERE node IN within })
  WITH DISTINCT item ORDER BY coalesce(item.popularity, 0) DESC, item.id LIMIT $each
  RETURN collect({item: item, path: 0.0}) AS popular
}
WITH generation, variant, c, reason, (scored + popular)[..$each] AS best
UNWIND range(0, size(best) - 1) AS place
WITH generation, variant, best[place].item AS item, best[place].path AS path, place, c, reason
ORDER BY place, reason.intent_rank, reason.need_rank, item.id
WITH generation, variant, item, collect({place: place, path: path, c: c, reason: reason})[0] AS one
RETURN item.id AS id, item.title AS title, one.path AS path, one.c.id AS category, one.c.name AS category_name,
       one.reason.intent.id AS intent, one.reason.intent.sentence AS sentence, one.reason.need AS need,
       generation, variant
ORDER BY one.place, one.reason.intent_rank, one.reason.need_rank, id LIMIT $n
