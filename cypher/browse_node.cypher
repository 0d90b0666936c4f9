// A browse node: its class, what stands above it, how much is below it, and the intents that it serves.
// :param node => '2';          id of the browse node
MATCH (n:BrowseNode {id: $node})
RETURN n.id AS id, n.name AS name, n.tree AS tree, n.level AS level, n.class AS class,
       n.class_source AS class_source, n.class_confidence AS class_confidence,
       COLLECT { MATCH (n)-[:CHILD_OF]->(parent) RETURN parent.id ORDER BY parent.id LIMIT 1 }[0] AS parent,
       COUNT { (n)<-[:CHILD_OF]-() } AS children,
       COUNT { MATCH (n)<-[:CHILD_OF*0..]-()<-[:IN_CATEGORY]-(item) RETURN DISTINCT item } AS items,
       COLLECT {
         MATCH (n)-[:CHILD_OF*0..]->(above)
         WITH above ORDER BY coalesce(above.level, 0) RETURN above.name
       } AS path,
       COLLECT {
         MATCH (n)-[s:SERVES]->(i:Intent)
         WITH s, i ORDER BY s.rank
         RETURN {id: i.id, sentence: i.sentence, confidence: s.confidence, rank: s.rank, source: s.source}
       } AS serves
