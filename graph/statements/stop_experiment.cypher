// Everybody gets the live generation again.
MATCH (serving:Serving {id: 'weights'})
SET serving.lock = true
WITH serving
WHERE serving.challenger IS NOT NULL
WITH serving, serving.challenger AS challenger
REMOVE serving.challenger, serving.share, serving.experiment_began
RETURN challenger
