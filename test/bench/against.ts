/** This build against another one: is it slower? */
import * as Executables from "./executables.ts"
import { inTurn, ratio, type Row } from "./measure.ts"
import * as Requests from "./requests.ts"

/** Runs both forms of both builds, and nothing else in between. */
export const against = (dist: string): ReadonlyArray<Row> => {
  const [own, other] = [Executables.plugins(), Executables.pluginsOf(dist)]
  const stdin = Requests.text()
  return (["ADD", "DEL", "VERSION"] as const).flatMap((command) =>
    (["standalone", "script"] as const).map((form) => {
      const results = inTurn(100, {
        this: Requests.call(own[form], stdin, { command }),
        other: Requests.call(other[form], stdin, { command })
      })
      return ratio(results, `${form}, ${command}, this build / the one in ${dist}`, ["this", "other"])
    })
  )
}
