// The environment that configures each client for this stack (flash-api §1, client-api §2, sdk2-api §1.1, management §1.3), as POSIX export lines.

export interface ClientVariable {
  readonly name: string
  readonly value: string
}

/** The public listener by TLS: `base` is its URL for jobs, the others are files. */
export interface TlsAccess {
  readonly base: string
  /** Of Runyard's own CA; undefined: the certificate was given, and clients trust it already or not. */
  readonly authority: { readonly bundle: string; readonly ca: string } | undefined
}

/** Every variable that some client reads; `url` is the public listener's, without a trailing slash. */
export function clientVariables(stack: { url: string; key: string; tls?: TlsAccess | undefined }): readonly ClientVariable[] {
  const { url, key, tls } = stack
  const values: Record<string, string> = {
    RUNPOD_API_KEY: key,
    // runpod 1.x and 2.0, runpod-flash, rp
    RUNPOD_ENDPOINT_BASE_URL: `${tls?.base ?? url}/v2`,
    RUNPOD_API_BASE_URL: url,
    RUNPOD_REST_API_URL: `${url}/rest/v1`,
    RUNPOD_HAPI_URL: `${url}/hapi`,
    RUNPOD_CONSOLE_URL: url,
    // runpodctl; URLs that are not set go to Runpod, with the key
    RUNPOD_INVOKE_URL: `${url}/v2`,
    RUNPOD_GRAPHQL_URL: `${url}/graphql`,
    RUNPOD_API_URL: `${url}/v1`,
    RUNPOD_REST_V2_URL: `${url}/v2`,
    // Runpod's MCP server, likewise
    RUNPOD_SERVERLESS_API_URL: `${url}/v2`,
    RUNPOD_AUTHED_GRAPHQL_URL: `${url}/graphql`,
    RUNPOD_PUBLIC_GRAPHQL_URL: `${url}/graphql`,
    RUNPOD_REST_V2_API_URL: `${url}/v2`,
    // Terraform's provider, likewise; it appends /v2 where it is missing
    RUNPOD_BASE_URL: `${url}/v2`,
    // runpod-sdk, the crate, whose RUNPOD_API_URL is for jobs: the same routes are below /v1 (ADR 29)
    RUNPOD_REST_URL: `${url}/v1`,
    // runpod-flash: a plain script sends its code (flash-api §5.1), and no version check reads the package index
    [LIVE]: 'true',
    FLASH_NO_UPDATE_CHECK: '1',
    ...tlsVariables(tls),
  }
  return Object.entries(values).map(([name, value]) => ({ name, value }))
}

/** Load-balanced endpoints are called by https alone (production §3.4); Flash warns when only some URLs are https. */
function tlsVariables(tls: TlsAccess | undefined): Record<string, string> {
  if (tls === undefined) return {}
  const { authority } = tls
  if (authority === undefined) return { RUNPOD_URL_MIXED_OK: '1' }
  const { bundle, ca } = authority
  return { RUNPOD_URL_MIXED_OK: '1', SSL_CERT_FILE: bundle, REQUESTS_CA_BUNDLE: bundle, CURL_CA_BUNDLE: bundle, NODE_EXTRA_CA_CERTS: ca }
}

/** With it a Flash script sends its code; without it, it calls a deployed app (ADR 13). */
const LIVE = 'FLASH_IS_LIVE_PROVISIONING'

/** For `eval "$(./runyard env)"`. A comment names the variable that disables runpod-flash's own deprecation notice (flash-api §0.1). */
export function renderExports(variables: readonly ClientVariable[], { areDeployed = false } = {}): string {
  const lines = variables.map(({ name, value }) => (areDeployed && name === LIVE ? `unset ${name}` : `export ${name}=${quotePosix(value)}`))
  return `${lines.join('\n')}\n# export RUNPOD_FLASH_SILENCE_DEPRECATION=1  # silences runpod-flash's notice about its successor\n`
}

/** One POSIX shell word, whatever the value contains. */
export function quotePosix(value: string): string {
  return /^[A-Za-z0-9_./:@%+,-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`
}
