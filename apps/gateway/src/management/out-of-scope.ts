// What Runpod manages and Runyard does not, in the words that every dialect answers with.
export const NO_PODS = 'Pods are not served here, but for the tasks of SDK 2: Runyard runs serverless endpoints.'
export const NO_CLUSTERS = 'Clusters are not served here: a worker runs on one host of the pool.'
export const NO_DELEGATIONS = 'Registries cannot be delegated here: save credentials with POST /v2/registries.'
export const NO_BUILDS = 'Runyard builds no repositories, so there are no builds: give the endpoint an image.'
