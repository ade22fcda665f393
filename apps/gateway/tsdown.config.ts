// One file with everything inside but the files of the API's reader: what is bundled starts in two thirds of the processor time.
import { inlineLua } from '@runyard/store/inline-lua'
import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/main.ts'],
  format: 'esm',
  plugins: [inlineLua()],
  platform: 'node',
  target: 'node24',
  outExtensions: () => ({ js: '.mjs' }),
  deps: {
    alwaysBundle: [/.*/],
    // The reader is served as files; the other two are optional native parts of `ws`.
    neverBundle: ['swagger-ui-dist', 'bufferutil', 'utf-8-validate'],
  },
  dts: false,
  clean: true,
})
