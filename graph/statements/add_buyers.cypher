// $rows: maps {item, buyers}; each item is locked, so its count is the one that counts
UNWIND $rows AS row
MATCH (i:Item {id: row.item})
SET i.popularity = coalesce(i.popularity, 0) + row.buyers
