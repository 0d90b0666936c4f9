// The experiment that runs: one property of the Serving node names its challenger, as another names the live generation.
// One that is stopped meanwhile may have lost some of its properties and not others: it is none.
MATCH (serving:Serving {id: 'weights'})
WITH serving.generation AS control, serving.challenger AS challenger, serving.share AS share,
     serving.experiment_began AS began
WHERE challenger IS NOT NULL AND share IS NOT NULL AND began IS NOT NULL
RETURN control, challenger, share, began
