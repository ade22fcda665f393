// The page on which a login is approved (ADR 68): one form, no script, no cookie. The key that approves comes with the form and is kept nowhere.
import { createHash } from 'node:crypto'
import { closedBecause } from '@runyard/core'
import type { LoginRequest } from '@runyard/schema'

const STYLE = `
body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;color:#222;background:#fff}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dt{color:#666}dd{margin:0;overflow-wrap:anywhere}
input{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;margin:.25rem 0 1rem}button{font:inherit;padding:.5rem 1.25rem;margin-right:.5rem}
.note{border-left:4px solid #c80;padding-left:.75rem}.fault{color:#a00}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#111}dt{color:#999}.fault{color:#f88}}`

export const LOGIN_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – Runyard</title>
<style>${STYLE}</style>
<h1>${title}</h1>
${body}
</html>
`
}

/** What may be done with the request now; `fault`: why the last try failed. */
export function loginPage(request: LoginRequest | undefined, now: number, fault?: string): string {
  const closed = closedBecause(request, now)
  if (request === undefined || closed !== undefined) return page('No open login', `<p>${escape(closed ?? '')}</p>`)
  return page(
    'Approve a login',
    `<p>A program asks for an API key of this Runyard.</p>
<dl><dt>address</dt><dd>${escape(request.address)}</dd>
<dt>program</dt><dd>${escape(request.client)}</dd>
<dt>asked at</dt><dd>${new Date(request.createdAt).toISOString()}</dd></dl>
<p class="note">Approve only a login that you have just started yourself. Who started it gets a key that can do all that yours can.</p>
${fault === undefined ? '' : `<p class="fault" role="alert">${escape(fault)}</p>\n`}<form method="post" action="/flash/login">
<input type="hidden" name="request" value="${escape(request.id)}">
<label>Your API key, as <code>runyard key</code> prints it
<input type="password" name="key" required autocomplete="off" autofocus></label>
<button name="verdict" value="approve">Approve</button><button name="verdict" value="deny">Deny</button>
</form>`,
  )
}

export const faultPage = (fault: string): string => page('No open login', `<p class="fault" role="alert">${escape(fault)}</p>`)

export function decidedPage(isApproved: boolean): string {
  return isApproved
    ? page('Approved', '<p>The program gets its key now. You can close this page; <code>runyard keys list</code> shows the key.</p>')
    : page('Denied', '<p>The program gets no key. You can close this page.</p>')
}
