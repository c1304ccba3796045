/**
 * What a collector says about spans of which it accepted only a part. Source: OTLP, "Partial Success", and its
 * ExportTraceServiceResponse.
 */

/** Spans that a collector refused for good, although it took the request. */
export interface PartialSuccess {
  readonly rejectedSpans: number
  /** Why, in the words of the collector. */
  readonly message: string
}

interface Field {
  readonly number: number
  readonly value: number | Uint8Array
}

/** The fields of a protobuf message that are integers or bytes. Throws if it is cut off. */
const fieldsOf = (message: Uint8Array): ReadonlyArray<Field> => {
  const fields: Array<Field> = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let factor = 1;; factor *= 128) {
      const byte = message[at++]
      if (byte === undefined) throw new RangeError("the message is cut off")
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    const [number, wireType] = [Math.floor(tag / 8), tag % 8]
    if (wireType === 0) fields.push({ number, value: varint() })
    else if (wireType === 2) {
      const end = varint() + at
      fields.push({ number, value: message.subarray(at, end) })
      at = end
    } else at += wireType === 1 ? 8 : 4
  }
  return fields
}

const ofProtobuf = (body: Uint8Array): PartialSuccess => {
  const [partial] = fieldsOf(body).flatMap(({ number, value }) =>
    number === 1 && typeof value !== "number" ? [fieldsOf(value)] : []
  )
  const of = (number: number) => partial?.find((field) => field.number === number)?.value
  const [rejected, message] = [of(1), of(2)]
  return {
    rejectedSpans: typeof rejected === "number" ? rejected : 0,
    message: message instanceof Uint8Array ? new TextDecoder().decode(message) : ""
  }
}

const ofJson = (body: Uint8Array): PartialSuccess => {
  const { partialSuccess } = JSON.parse(new TextDecoder().decode(body))
  return {
    // An int64 is a string in JSON.
    rejectedSpans: Number(partialSuccess?.rejectedSpans ?? 0) || 0,
    message: String(partialSuccess?.errorMessage ?? "")
  }
}

/** Reads the answer to an accepted request. Undefined if all spans were accepted, or if it cannot be read. */
export const read = (body: Uint8Array, contentType: string): PartialSuccess | undefined => {
  if (body.length === 0) return undefined
  try {
    const partial = contentType.includes("json") ? ofJson(body) : ofProtobuf(body)
    return partial.rejectedSpans > 0 ? partial : undefined
  } catch {
    return undefined
  }
}
