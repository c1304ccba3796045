/** Manual pages, made out of what `--help` says. */

const heading = /^[A-Z]+$/

/** A line as roff takes it. */
const escaped = (line) => line.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^(?=[.'])/, "\\&")

/** A text between blank lines of `--help`: a heading and what is below it, or a paragraph. */
const section = (text) => {
  const [first, ...lines] = text.split("\n")
  if (!heading.test(first)) return `.SH DESCRIPTION\n${text.split("\n").map(escaped).join("\n")}.\n`
  const shorter = lines.map((line) => escaped(line.replace(/^ {2}/, "")))
  return `.SH ${first === "USAGE" ? "SYNOPSIS" : first}\n.nf\n${shorter.join("\n")}\n.fi\n`
}

/** The order of the sections on a page: `--help` begins with what the command is for. */
const inOrder = ([description, usage, ...rest]) => [usage, description, ...rest]

/** The first sentence of a help, without its end. */
const summary = (help) => /^[^]*?(?=\. |\n\n)/.exec(help)[0].replaceAll("\n", " ")

const page = (command, help, { date, others, version }) =>
  [
    `.TH ${command.join("\\-").toUpperCase()} 1 ${date} "cni\\-passthrough ${version}" "User Commands"`,
    `.SH NAME\n${escaped(command.join("-"))} \\- ${escaped(summary(help))}`,
    ...inOrder(help.trim().split("\n\n").map(section)),
    `.SH SEE ALSO\n${others.map((other) => `.BR ${escaped(other)} (1)`).join(",\n")}`
  ].join("\n").replaceAll(/\n+/g, "\n") + "\n"

/** The subcommands that a help lists. */
const subcommandsIn = (help) =>
  [...(/^SUBCOMMANDS\n((?: {2}.*\n)*)/m.exec(help)?.[1] ?? "").matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name)

/** The pages of the command and of its subcommands, each as its file name and its text. */
export const pages = (run, version, time) => {
  const date = time.toISOString().slice(0, 10)
  const name = "cni-passthrough"
  const help = run("--help")
  const subcommands = subcommandsIn(help).filter((subcommand) => subcommand !== "help")
  const all = [name, ...subcommands.map((subcommand) => `${name}-${subcommand}`)]
  const facts = (self) => ({ version, date, others: all.filter((other) => other !== self) })
  return [
    [`${name}.1`, page([name], help, facts(name))],
    ...subcommands.flatMap((subcommand) => {
      const self = `${name}-${subcommand}`
      const text = run(subcommand, "--help")
      const operations = subcommandsIn(text).map((operation) => run(subcommand, operation, "--help"))
      return [[`${self}.1`, page([name, subcommand], [text, ...operations].join("\n"), facts(self))]]
    })
  ]
}
