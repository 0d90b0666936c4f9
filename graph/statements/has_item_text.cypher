// A row where the full-text index of items is there and online: stores of older versions have none.
SHOW INDEXES YIELD name, state
WHERE name = 'item_text' AND state = 'ONLINE'
RETURN name
