/** The page of reports, as the build made it. */
import * as Context from "effect/Context"
import type * as HtmlReport from "../render/html/HtmlReport.ts"

/** The script and the style of the page. */
export class PageAssets extends Context.Service<PageAssets, HtmlReport.Assets>()("cni-passthrough/cli/Page") {}
