// The newest items are read in the order of this index.
CREATE RANGE INDEX item_created IF NOT EXISTS FOR (i:Item) ON (i.created)
