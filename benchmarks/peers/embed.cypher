// A vector of each node, from its neighbours' neighbours.
CALL gds.fastRP.mutate('both', {
  embeddingDimension: $size, iterationWeights: [0.0, 1.0, 1.0, 1.0], normalizationStrength: -0.5, randomSeed: 0,
  concurrency: $threads, mutateProperty: 'vector'
}) YIELD nodePropertiesWritten
RETURN nodePropertiesWritten AS vectors
