// All intents in the order of their ids
MATCH (i:Intent)
RETURN i.id AS id, i.sentence AS sentence, i.says AS says, i.source AS source, i.term AS term, i.node AS node,
       i.department AS department
ORDER BY id
