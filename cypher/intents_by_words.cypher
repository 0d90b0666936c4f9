// Intents whose sentence or ways to say it have words of a text, in any of their forms; the best first.
// :param words => 'parties';   in the syntax of Lucene's queries
// :param k => 10;              intents to return
CALL db.index.fulltext.queryNodes('intent_words', $words, {limit: $k}) YIELD node AS i, score
RETURN i.id AS id, i.sentence AS sentence, i.source AS source, i.department AS department, score
ORDER BY score DESC, id
