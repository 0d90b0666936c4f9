// Intents whose sentence and ways to say it mean what a text means, the nearest first; score = cosine.
// :param vector => [1.0, 0.0]; the text, by the encoder that made the embeddings in the graph
// :param k => 10;              intents to return
CALL db.index.vector.queryNodes('intent_embedding', $k, $vector) YIELD node AS i, score
RETURN i.id AS id, i.sentence AS sentence, i.source AS source, i.department AS department, 2 * score - 1 AS score
ORDER BY score DESC, id
