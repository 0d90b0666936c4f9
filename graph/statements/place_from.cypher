// $item: id; $generation: id of a ready one; $rows: maps {id, weight, rank}. The neighbours of a new item.
MATCH (:Generation {id: $generation, state: 'ready'})
MATCH (i:Item {id: $item})
UNWIND $rows AS row
MATCH (j:Item {id: row.id})
CREATE (i)-[:SIMILAR {trigger: i.id, generation: $generation, rank: row.rank, weight: row.weight, placed: true}]->(j)
