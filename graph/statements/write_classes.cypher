// $rows: maps {id, class, source, confidence}; the class is a label too
UNWIND $rows AS row
MATCH (n:BrowseNode {id: row.id})
SET n.class = row.class, n.class_source = row.source, n.class_confidence = row.confidence
REMOVE n:ProductCategory:ProductAssortment:Alias
FOREACH (_ IN CASE row.class WHEN 'category' THEN [1] ELSE [] END | SET n:ProductCategory)
FOREACH (_ IN CASE row.class WHEN 'assortment' THEN [1] ELSE [] END | SET n:ProductAssortment)
FOREACH (_ IN CASE row.class WHEN 'alias' THEN [1] ELSE [] END | SET n:Alias)
