// A browse node: its class, what stands above it, and the intents that it serves.
// :param node => '2';          id of the browse node
MATCH (n:BrowseNode {id: $node})
RETURN n.id AS id, n.name AS name, n.tree AS tree, n.level AS level, n.class AS class,
       n.class_source AS class_source, n.class_confidence AS class_confidence,
       COLLECT {
         MATCH (n)-[:CHILD_OF*0..]->(above)
         WITH above ORDER BY coalesce(above.level, 0) RETURN above.name
       } AS path,
       COLLECT {
         MATCH (n)-[s:SERVES]->(i:Intent)
         WITH s, i ORDER BY s.rank
         RETURN {id: i.id, sentence: i.sentence, confidence: s.confidence, rank: s.rank, source: s.source}
       } AS serves
