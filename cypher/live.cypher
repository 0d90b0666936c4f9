// The live generation: the weights that all other queries read.
MATCH (serving:Serving {id: 'weights'})
MATCH (g:Generation {id: serving.generation})
RETURN g.id AS id, g.model AS model, g.data AS data, g.metrics AS metrics, g.created AS created,
       g.users AS users, g.items AS items, g.interactions AS interactions, g.similar AS similar
