// Size limits of the records of endpoints, templates and registries, for all dialects. The model enforces them (ADR 36).

const KIB = 1024

export const RECORD_LIMITS = {
  /** Characters of a name (management §2.1). */
  name: 191,
  /** Linux rejects larger ones: `MAX_ARG_STRLEN`, including the name and `=`. */
  variableBytes: 128 * KIB,
  /** Total size of all variables of one record. */
  variablesBytes: 1024 * KIB,
  variables: 1000,
  /** Start command and entrypoint. */
  argsBytes: 32 * KIB,
  readmeBytes: 64 * KIB,
  /** Items of any other list: pools, data centres, ports, volumes, instances. */
  listItems: 200,
  /** Length of lists that GraphQL writes as one text. */
  echoBytes: 16 * KIB,
  /** Bytes of one such item, and of any other short text. */
  textBytes: KIB,
  /** GPUs per worker: no machine has more. */
  gpuCount: 64,
  diskGb: 100_000,
  /** Maximum number of endpoints, of templates and of registries per owner. */
  perOwner: 1000,
} as const
