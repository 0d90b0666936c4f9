// The experiment that runs: one property of the Serving node names its challenger, as another names the live generation
MATCH (serving:Serving {id: 'weights'})
WHERE serving.challenger IS NOT NULL
RETURN serving.generation AS control, serving.challenger AS challenger, serving.share AS share,
       serving.experiment_began AS began
