// The experiment that runs: one property of the Serving node names its challenger, as another names the live generation.
// Properties are read one after the other: one that is stopped meanwhile may have lost some and not others, and one whose
// challenger goes live meanwhile may show it as both. It is none.
MATCH (serving:Serving {id: 'weights'})
WITH serving.generation AS control, serving.challenger AS challenger, serving.share AS share,
     serving.experiment_began AS began
WHERE challenger <> control AND share IS NOT NULL AND began IS NOT NULL
RETURN control, challenger, share, began
