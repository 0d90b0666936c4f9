// The $k items with the nearest vectors of each item, as edges.
CALL gds.knn.write('both', {
  nodeLabels: ['Item'], nodeProperties: {vector: 'COSINE'}, topK: $k, concurrency: $threads,
  writeRelationshipType: $type, writeProperty: 'weight'
}) YIELD relationshipsWritten
RETURN relationshipsWritten AS edges
