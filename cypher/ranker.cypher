// The parameters by which the intents of users are ranked.
MATCH (state:Serving {id: 'intents'})
RETURN state.lambda AS lambda, state.tau AS tau, state.alpha AS alpha, state.epsilon AS epsilon
