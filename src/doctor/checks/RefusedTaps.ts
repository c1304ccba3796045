/** Whether a policy of this host forbids what a tap asks for. */
import type { Check } from "../Check.ts"
import { foundAt } from "../ConfigFile.ts"

export const policy: Check = {
  id: "policy",
  phase: "plugins",
  find: ({ chain, forbidden, plugins }) =>
    plugins.size === 0 || !chain.some(({ type }) => type === "passthrough")
      ? { skipped: "the network has no tap" }
      : forbidden.map(({ message, tap: { at, file, type } }) =>
        foundAt(file, [...at, "type"], {
          level: "error",
          plugin: type,
          message: `${message}: its requests fail with code 7`,
          fix: "remove the field, or have the policy changed by who administers this host"
        })
      )
}
