/** `--completions`: the library's scripts, with two fixes for bash. */
import * as Completions from "effect/cli/Completions"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** Replaces all occurrences of a text. Throws if there is none: a newer library may print a different script. */
const replace = (script: string, from: string, to: string): string => {
  if (!script.includes(from)) throw new Error(`the completion script has no ${JSON.stringify(from)}`)
  return script.replaceAll(from, to)
}

/** Without `nospace` after a slash, bash ends the word at the first folder and completes no path below it. */
const pathsGoOn = (script: string): string => {
  const slashes = replace(
    script,
    "while IFS= read -r _path; do\n",
    "while IFS= read -r _path; do\n    [[ -d \"$_path\" ]] && _path+=/\n"
  )
  const end = "    COMPREPLY[_i]=\"$_typed${COMPREPLY[_i]}\"\n  done\n"
  return replace(
    slashes,
    end,
    `${end}  [[ \${#COMPREPLY[@]} == 1 && "\${COMPREPLY[0]}" == */ ]] && compopt -o nospace 2>/dev/null\n`
  )
}

/** Completes `--flag=value` like `--flag value`. */
const valuesAfterEquals = (script: string): string => {
  const start = "  _init_completion -n \"$COMP_WORDBREAKS\" || return\n"
  const split = "  if [[ \"$cur\" == --*=* ]]; then\n    prev=\"${cur%%=*}\"\n    cur=\"${cur#*=}\"\n  fi\n"
  return replace(script, start, start + split)
}

/** The flag that prints a completion script. */
export const completions: GlobalFlag.Action<Option.Option<Completions.Shell>> = GlobalFlag.Action({
  flag: GlobalFlag.Completions.flag,
  run: Effect.fnUntraced(function*(shell, { command }) {
    if (Option.isNone(shell)) return
    const script = Completions.generate(command.name, shell.value, Completions.fromCommand(command))
    yield* Console.log(shell.value === "bash" ? valuesAfterEquals(pathsGoOn(script)) : script)
  })
})
