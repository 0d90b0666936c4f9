CREATE INDEX item_changed IF NOT EXISTS FOR (i:Item) ON (i.changed)
