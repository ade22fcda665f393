// How large the records of endpoints, templates and registries may be. One place for all dialects; the model enforces them (ADR 36).

const KIB = 1024

export const RECORD_LIMITS = {
  /** Characters of a name (management §2.1). */
  name: 191,
  /** Linux refuses a larger one: `MAX_ARG_STRLEN`, name and `=` included. */
  variableBytes: 128 * KIB,
  /** All variables of one record. */
  variablesBytes: 1024 * KIB,
  variables: 1000,
  /** Start command and entrypoint. */
  argsBytes: 32 * KIB,
  readmeBytes: 64 * KIB,
  /** Items of any other list: pools, data centres, ports, volumes, instances. */
  listItems: 200,
  /** Lists that GraphQL writes as one text. */
  echoBytes: 16 * KIB,
  /** Bytes of one such item, and of any other short text. */
  textBytes: KIB,
  /** GPUs of one worker: no machine has more. */
  gpuCount: 64,
  diskGb: 100_000,
  /** Endpoints, templates and registries of one owner: so many of each. */
  perOwner: 1000,
} as const
