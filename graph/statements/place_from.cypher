// $item: id; $generation: id of a ready one; $rows: maps {id, weight, rank}. The neighbours of a new item.
MATCH (:Generation {id: $generation, state: 'ready'})
MATCH (i:Item {id: $item})
UNWIND $rows AS row
MATCH (j:Item {id: row.id})
CREATE (i)-[:SIMILAR {weight: row.weight, rank: row.rank, generation: $generation, placed: true}]->(j)
