// $rows: maps {id, created}, the time of an item's first interaction in seconds since 1970 UTC. The earliest stays.
UNWIND $rows AS row
MATCH (i:Item {id: row.id})
WITH i, datetime({epochSeconds: row.created}) AS created
WHERE i.created IS NULL OR i.created > created
SET i.created = created
