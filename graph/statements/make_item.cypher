// $item: id. `created` is set once; without a popularity an item is not among the popular ones, not even the last.
MERGE (i:Item {id: $item})
ON CREATE SET i.created = datetime(), i.popularity = 0
