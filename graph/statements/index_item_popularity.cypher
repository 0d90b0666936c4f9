// Popular items are read in the order of this index.
CREATE RANGE INDEX item_popularity IF NOT EXISTS FOR (i:Item) ON (i.popularity)
