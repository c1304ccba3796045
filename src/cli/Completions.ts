/** `--completions`: the library's scripts, extended with names of this host, and with two fixes for bash. */
import * as Completions from "effect/cli/Completions"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Kind } from "./commands/Candidates.ts"

/** The kind of names that completes each flag or argument. */
const kinds: ReadonlyMap<string, Kind> = new Map([
  ["network", "networks"],
  ["container", "containers"],
  ["container-id", "containers"],
  ["pod", "pods"],
  ["plugin", "plugins"],
  ["plugins", "plugins"]
])

type Type = Completions.FlagType | Completions.ArgumentType

/**
 * Stands in for names that only the host knows until the script is made, because the library completes only fixed
 * choices.
 */
const placeholder = (kind: Kind, type: Type): string => `@${kind}@${type._tag === "Path" ? "files@" : ""}`

const withPlaceholder = <A extends { readonly name: string; readonly type: Type }>(one: A): A => {
  const kind = kinds.get(one.name)
  return kind === undefined ? one : { ...one, type: { _tag: "Choice", values: [placeholder(kind, one.type)] } }
}

const withPlaceholders = (command: Completions.CommandDescriptor): Completions.CommandDescriptor => ({
  ...command,
  flags: command.flags.map(withPlaceholder),
  arguments: command.arguments.map(withPlaceholder),
  subcommands: command.subcommands.map(withPlaceholders)
})

const ask = (program: string, kind: string): string => `${program} candidates ${kind} 2>/dev/null`

/** How a shell completes names of a kind. Where files are allowed too, a word with a slash is a path. */
const naming = {
  bash: (script: string): string =>
    script.replace(
      /^( *)(\S+--)choices (.*) '@(\w+)@(files@)?'$/gm,
      (_, indent, helper, words, kind, files) => {
        const names = `${helper}choices ${words} $(${ask("\"${COMP_WORDS[0]}\"", kind)})`
        const lines = files === undefined
          ? [names]
          : [`[[ "$cur" == */* ]] || ${names}`, `(( \${#COMPREPLY[@]} )) || ${helper}paths -f ${words}`]
        return lines.map((line) => `${indent}${line}`).join("\n")
      }
    ),
  zsh: (script: string): string =>
    script.replace(/\(@(\w+)@(files@)?\)/g, (_, kind, files) => {
      const names = `compadd -- $(${ask("cni-passthrough", kind)})`
      return files === undefined ? `{${names}}` : `{[[ $PREFIX == */* ]] && _files || ${names}}`
    }),
  fish: (script: string): string =>
    script.replace(
      /-f -a '@(\w+)@(files@)?'/g,
      (_, kind, files) => `${files === undefined ? "-f" : "-F"} -a '(${ask("cni-passthrough", kind)})'`
    )
}

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
    const descriptor = Completions.fromCommand(command)
    if (shell.value === "powershell") {
      return yield* Console.log(Completions.generate(command.name, shell.value, descriptor))
    }
    const script = naming[shell.value](Completions.generate(command.name, shell.value, withPlaceholders(descriptor)))
    yield* Console.log(shell.value === "bash" ? valuesAfterEquals(pathsGoOn(script)) : script)
  })
})
