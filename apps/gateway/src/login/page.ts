// The page on which a login is approved (ADR 68): one form, no script, no cookie. The key that approves comes with the form and is kept nowhere.
import { createHash } from 'node:crypto'
import { closedBecause } from '@runyard/core'
import type { LoginRequest } from '@runyard/schema'

/** The colours of the page (`apps/dashboard/src/styles/tokens.css`). */
const STYLE = `
:root{color-scheme:light dark;--muted:light-dark(#56616d,#9aa6b2);--accent:light-dark(#0f766e,#2dd4bf);--line:light-dark(#7d8894,#6b7783)}
body{font:14px/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem;color:light-dark(#1a2129,#e6ebf0);background:light-dark(#fff,#101418)}
header{color:var(--accent);font-weight:700}h1{font-size:22px;line-height:1.3;margin:1.5rem 0 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dt{color:var(--muted)}dd{margin:0;overflow-wrap:anywhere}
input,button{font:inherit;min-height:36px;box-sizing:border-box;border:1px solid var(--line);border-radius:6px;color:inherit;background:none}
input{width:100%;padding:4px 8px;margin:8px 0 16px}button{padding:4px 16px;margin-right:8px;cursor:pointer}
.approve{border-color:var(--accent);color:light-dark(#fff,#06201d);background:var(--accent);font-weight:600}
:focus-visible{outline:2px solid light-dark(#0b5cad,#6db3f8);outline-offset:2px}
.note{border-left:3px solid light-dark(#a06b00,#fbbe38);padding:8px 12px;background:light-dark(#f6f8fa,#181e24)}.fault{color:light-dark(#b32135,#ff7b7b)}`

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
<header>Runyard</header>
<main>
<h1>${title}</h1>
${body}
</main>
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
<dt>asked at</dt><dd>${new Date(request.createdAt).toISOString().replace('T', ' ').slice(0, 19)} UTC</dd></dl>
<p class="note">Approve only a login that you have just started yourself. Who started it gets a key that can do all that yours can.</p>
${fault === undefined ? '' : `<p class="fault" role="alert">${escape(fault)}</p>\n`}<form method="post" action="login">
<input type="hidden" name="request" value="${escape(request.id)}">
<label>Your API key, as <code>runyard key</code> prints it
<input type="password" name="key" required autocomplete="off" autofocus></label>
<button class="approve" name="verdict" value="approve">Approve</button><button name="verdict" value="deny">Deny</button>
</form>`,
  )
}

export const faultPage = (fault: string): string => page('No open login', `<p class="fault" role="alert">${escape(fault)}</p>`)

export function decidedPage(isApproved: boolean): string {
  return isApproved
    ? page('Approved', '<p>The program gets its key now. You can close this page; <code>runyard keys list</code> shows the key.</p>')
    : page('Denied', '<p>The program gets no key. You can close this page.</p>')
}
