// The $k items with the most alike buyers (cosine) of each item, as edges.
CALL gds.nodeSimilarity.write('shop', {
  topK: $k, similarityMetric: 'COSINE', concurrency: $threads, writeRelationshipType: $type, writeProperty: 'weight'
}) YIELD relationshipsWritten
RETURN relationshipsWritten AS edges
