// Intents in the order of their ids, a page at a time.
// :param after => '';          id of the last intent of the page before; '' for the first page
// :param k => 10;              intents to return
// :param department => null;   only this department's; null: all
// :param source => null;       only these: 'table' or 'mined'; null: all
MATCH (i:Intent)
WHERE i.id > $after
  AND ($department IS NULL OR i.department = $department)
  AND ($source IS NULL OR i.source = $source)
RETURN i.id AS id, i.sentence AS sentence, i.source AS source, i.department AS department
ORDER BY id LIMIT $k
