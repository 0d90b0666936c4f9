CREATE INDEX item_brand IF NOT EXISTS FOR (i:Item) ON (i.brand)
