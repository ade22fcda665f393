// `runyard completion`: what a shell sources. The scripts only ask `runyard` for words; nothing that comes back is evaluated.
import { COMPLETE, UsageError, type CommandContext } from '../command.ts'

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_runyard() {
  local word
  COMPREPLY=()
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <("\${COMP_WORDS[0]}" ${COMPLETE} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o bashdefault -o default -F _runyard runyard ./runyard
`,
  zsh: `#compdef runyard
_runyard() {
  local -a found
  found=("\${(@f)$("\${words[1]}" ${COMPLETE} "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found
}
compdef _runyard runyard
`,
  fish: `function __runyard_words
  set -l before (commandline -opc)
  $before[1] ${COMPLETE} $before[2..-1] (commandline -ct) 2>/dev/null
end
complete -c runyard -f -a '(__runyard_words)'
`,
}

export function run({ out, positionals: [shell = '', ...more] }: CommandContext): Promise<number> {
  const script = SCRIPTS[shell]
  if (script === undefined || more.length > 0) throw new UsageError(`name one shell: ${Object.keys(SCRIPTS).join(', ')}.`)
  out.write(script)
  return Promise.resolve(0)
}
