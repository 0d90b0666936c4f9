// All intents in the order of their ids, without their vectors
MATCH (i:Intent)
RETURN i {.id, .sentence, .source, .term, .department, .says, .needs, .forgotten, .excludes, .season, .audience, .nodes,
          .confidence} AS properties
ORDER BY i.id
