// $challenger: generation; $share: part of the users that gets it. Behind the same lock as a switch, so both are ready
// and stay apart. The same experiment again goes on; another one begins anew, and its figures with it.
// Events have times of whole seconds.
MATCH (serving:Serving {id: 'weights'})
SET serving.lock = true
WITH serving
MATCH (control:Generation {id: serving.generation, state: 'ready'})
MATCH (g:Generation {id: $challenger, state: 'ready'})
WHERE g.id <> control.id
WITH serving, g, CASE WHEN serving.challenger = g.id AND serving.share = $share
                   THEN serving.experiment_began ELSE datetime.truncate('second') END AS began
SET serving.challenger = g.id, serving.share = $share, serving.experiment_began = began
RETURN g.id AS id
