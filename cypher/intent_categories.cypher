// The categories that a text takes: straight by meaning, and over two hops, text -> intents like it -> what they need.
// score = cosine(text, category) + share * sum over the nearest intents of p(intent | text) * NEEDS.score,
// p = softmax of the cosines / temperature.
// :param vector => [1.0, 0.0]; the text, by the encoder that made the embeddings in the graph
// :param tree => 'shop';       name of the browse tree
// :param k => 10;              categories to return
// :param near => 20;           intents that are asked; 0: none
// :param share => 0.5;         weight of the second part
// :param temperature => 0.05;  how much the nearest intents count more than the others
// :param reach => 500;         categories of all trees that are compared
CALL () {
  WITH $near AS near WHERE near > 0
  CALL db.index.vector.queryNodes('intent_embedding', near, $vector) YIELD node AS intent, score
  RETURN collect({intent: intent, cosine: 2 * score - 1}) AS found, max(2 * score - 1) AS best
  UNION
  WITH $near AS near WHERE near = 0
  RETURN [] AS found, 0.0 AS best
}
WITH found, best, reduce(total = 0.0, f IN found | total + exp((f.cosine - best) / $temperature)) AS total
CALL (found, best, total) {
  UNWIND found AS f
  WITH f.intent AS intent, exp((f.cosine - best) / $temperature) / total AS chance
  MATCH (intent)-[need:NEEDS]->(category:BrowseNode)
  WHERE category.tree = $tree
  RETURN category, sum(chance * need.score) AS hop
  UNION ALL
  CALL db.index.vector.queryNodes('browse_node_embedding', $reach, $vector) YIELD node AS category
  WHERE category.tree = $tree AND NOT category:ProductAssortment AND NOT category:Alias
  RETURN category, 0.0 AS hop
}
WITH category, sum(hop) AS hop
WHERE category.embedding IS NOT NULL
WITH category, 2 * vector.similarity.cosine(category.embedding, $vector) - 1 AS cosine, hop
WITH category, cosine, hop, cosine + $share * hop AS score
ORDER BY score DESC, category.id LIMIT $k
RETURN category.id AS id, category.name AS name, score, cosine, hop,
       COLLECT {
         MATCH (category)-[:CHILD_OF*0..]->(above)
         WITH above ORDER BY coalesce(above.level, 0) RETURN above.name
       } AS path
ORDER BY score DESC, id
