/** Keeps secrets of network configurations out of all logs. What goes to stdout and to hooks is not touched. */
import * as JsonText from "../cni/JsonText.ts"
import type { Request } from "../cni/Request.ts"

const replacement = "\"[redacted]\""

/** The keys and indices of a JSON Pointer. Source: RFC 6901. */
const segmentsOf = (pointer: string): ReadonlyArray<string> =>
  pointer.split("/").slice(1).map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"))

/** Whether a value is one of those that `redact` names, by its key or by its JSON Pointer. */
const isSecret = (names: ReadonlyArray<string>): (path: JsonText.Path) => boolean => {
  const pointers = names.filter((name) => /^(?:\/|$)/.test(name)).map(segmentsOf)
  return (path) =>
    names.some((name) => name === path.at(-1)) ||
    pointers.some((segments) =>
      segments.length === path.length && segments.every((segment, index) => segment === String(path[index]))
    )
}

/** What may be shown of a request. */
export const request = (request: Request): Request => {
  const { document, prevResult, settings: { redact } } = request
  if (redact.length === 0 || document._tag !== "Config") return request
  const text = JsonText.replace(document.text, replacement, isSecret(redact))
  return {
    ...request,
    document: { _tag: "Config", text, value: JSON.parse(text) },
    stdin: Buffer.from(text),
    prevResult: prevResult === undefined ? undefined : result(request, prevResult)
  }
}

/** What may be shown of its result. That is a prevResult, so pointers lead into it by that name. */
export const result = ({ settings: { redact } }: Request, text: string): string => {
  if (redact.length === 0) return text
  const isChosen = isSecret(redact)
  return JsonText.replace(text, replacement, (path) => isChosen([]) || isChosen(["prevResult", ...path]))
}
