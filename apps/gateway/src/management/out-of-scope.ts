// What Runpod manages and Runyard does not, in the words that every dialect answers with.
export const NO_PODS = 'Pods are not served here: Runyard runs serverless endpoints only.'
export const NO_SSH_KEYS = 'SSH keys are not kept here: workers take no SSH; `docker exec` on their host opens a shell.'
export const NO_V1_BILLING = 'REST v1 has no billing here: `runyard usage` and GET /runyard/v1/usage tell what was used.'
