/** The licences of all that executables are made of, as the file THIRD_PARTY_NOTICES. */
import * as Texts from "./texts.mjs"

export const ruler = `\n${"-".repeat(80)}\n\n`

const title = ({ licence, name, version }) => `${name}${version === undefined ? "" : ` ${version}`} (${licence})`

/** A part, its holders and where its sources are. Its licences follow at the end. */
const paragraph = (part) =>
  [title(part), ...part.copyright, part.source, ...part.note === undefined ? [] : [Texts.wrapped(part.note, 78)]]
    .map((line) => `${line}\n`).join("")

const introduction = `The executables contain what follows, too. Each part has its licence in parentheses, as an
expression of SPDX identifiers; their texts are at the end. Where a part may be had under one of
several licences (OR), you may choose.
`

/** The notices of parts, and the texts of their licences. */
export const text = ({ beside, bun, linked }) => {
  const all = [bun, ...linked, ...beside]
  const licences = Texts.identifiers(all.map(({ licence }) => licence))
  return [
    introduction,
    [bun, ...beside].map(paragraph).join("\n"),
    `Linked into Bun:\n\n${linked.map(paragraph).join("\n")}`,
    ...licences.map((identifier) => `${identifier}\n\n${Texts.text(identifier)}\n`)
  ].join(ruler)
}
