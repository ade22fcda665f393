// For bundles: `new URL('./x.lua', import.meta.url)` becomes the name and the text of that file. From source the file is read (ADR 46).
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

const LUA_URL = /new URL\(\s*'(\.[^']+\.lua)',\s*import\.meta\.url,?\s*\)/g

/** A file that a bundle would look for beside itself. */
const STRAY_URL = /new URL\([^)]*\.lua/

/** A plugin for Rolldown and Vite. */
export function inlineLua() {
  return {
    name: 'inline-lua',
    transform(code: string, id: string): string | undefined {
      if (!code.includes('.lua')) return undefined
      const inlined = code.replaceAll(LUA_URL, (_, path: string) => {
        const text = readFileSync(join(dirname(id), path), 'utf8')
        return JSON.stringify({ name: basename(path, '.lua'), text })
      })
      if (STRAY_URL.test(inlined)) throw new Error(`${id} names a .lua file in another way than new URL('./x.lua', import.meta.url)`)
      return inlined
    },
  }
}
