/** Manual pages, made out of what `--help` says. */

const heading = /^[A-Z]+$/

/** A line as roff takes it. */
const escaped = (line) => line.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^(?=[.'])/, "\\&")

/** A text between blank lines of `--help`: a heading and what is below it, or a paragraph. */
const section = (text, macro) => {
  const [first, ...lines] = text.split("\n")
  if (!heading.test(first)) return `.${macro} DESCRIPTION\n${text.split("\n").map(escaped).join("\n")}.\n`
  const shorter = lines.map((line) => escaped(line.replace(/^ {2}/, "")))
  return `.${macro} ${first === "USAGE" ? "SYNOPSIS" : first}\n.nf\n${shorter.join("\n")}\n.fi\n`
}

/** The sections of a help. It begins with what the command is for, and a page with how it is called. */
const sections = (help, macro = "SH") => {
  const [description, usage, ...rest] = help.trim().split("\n\n").map((text) => section(text, macro))
  return [usage, description, ...rest]
}

const page = (command, help, { date, operations, others, summary, version }) =>
  [
    `.TH ${command.join("\\-").toUpperCase()} 1 ${date} "cni\\-passthrough ${version}" "User Commands"`,
    `.SH NAME\n${escaped(command.join("-"))} \\- ${escaped(summary)}`,
    ...sections(help),
    ...operations.flatMap(({ help, name }) => [`.SH ${name.toUpperCase()}`, ...sections(help, "SS")]),
    `.SH SEE ALSO\n${others.map((other) => `.BR ${escaped(other)} (1)`).join(",\n")}`
  ].join("\n").replaceAll(/\n+/g, "\n") + "\n"

/** The subcommands that a help lists, each with what it does. */
const subcommandsIn = (help) =>
  [...(/^SUBCOMMANDS\n((?: {2}.*\n)*)/m.exec(help)?.[1] ?? "").matchAll(/^ {2}(\S+) +(.+)$/gm)]
    .map(([, name, summary]) => ({ name, summary }))

/** The pages of the command and of its subcommands, each as its file name and its text. */
export const pages = (run, version, time) => {
  const date = time.toISOString().slice(0, 10)
  const root = "cni-passthrough"
  const help = run("--help")
  const subcommands = subcommandsIn(help).filter(({ name }) => name !== "help")
  const all = [root, ...subcommands.map(({ name }) => `${root}-${name}`)]
  const make = (command, help, summary, operations = []) => {
    const self = command.join("-")
    const others = all.filter((other) => other !== self)
    return [`${self}.1`, page(command, help, { version, date, summary, operations, others })]
  }
  const [description] = help.split("\n")
  return [
    make([root], help, description),
    ...subcommands.map(({ name, summary }) => {
      const help = run(name, "--help")
      const operations = subcommandsIn(help).map((operation) => ({
        name: operation.name,
        help: run(name, operation.name, "--help")
      }))
      return make([root, name], help, summary, operations)
    })
  ]
}
