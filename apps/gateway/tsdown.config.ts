// One file with our workspace packages inside; npm packages are installed beside it.
import { inlineLua } from '@runyard/store/inline-lua'
import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/main.ts'],
  format: 'esm',
  plugins: [inlineLua()],
  platform: 'node',
  target: 'node24',
  outExtensions: () => ({ js: '.mjs' }),
  deps: { alwaysBundle: [/^@runyard\//] },
  dts: false,
  clean: true,
})
