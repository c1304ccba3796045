/** The page of reports, as the build made it. */
import * as Context from "effect/Context"
import type * as Html from "../report/Html.ts"

/** The script and the style of the page. */
export class Page extends Context.Service<Page, Html.Assets>()("cni-passthrough/cli/Page") {}
