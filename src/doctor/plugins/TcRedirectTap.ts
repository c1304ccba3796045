/** tc-redirect-tap. Source: github.com/awslabs/tc-redirect-tap, cmd/tc-redirect-tap/main.go: it has no fields. */
import type { KnownPlugin } from "./KnownPlugin.ts"

export const tcRedirectTap: KnownPlugin = {
  type: "tc-redirect-tap",
  fields: {},
  follows: true
}
