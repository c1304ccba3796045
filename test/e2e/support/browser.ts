/** Reports in Debian's Chromium: from disk, with the network off, and with all that a page tries watched. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { type Browser, chromium, type Page } from "playwright-core"
import { command, path, temporary } from "../../support/plugin.ts"

/** A browser, and what its page complained about or tried to load. */
export interface Watched {
  /** Opens a report anew, in the one page that there is: a page of its own for each test takes longer than the test. */
  readonly open: (html: string, options?: { readonly width?: number; readonly dark?: boolean }) => Promise<Page>
  /** Errors and warnings of reports, and requests for anything but reports. */
  readonly complaints: ReadonlyArray<string>
  readonly close: () => Promise<void>
}

/** Starts a browser. */
export const start = async (): Promise<Watched> => {
  const browser: Browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox"],
    timeout: 300_000
  })
  const context = await browser.newContext({
    offline: true,
    timezoneId: "UTC",
    locale: "en-GB",
    permissions: ["clipboard-read", "clipboard-write"]
  })
  context.setDefaultTimeout(300_000)
  const complaints: Array<string> = []
  let opened = ""
  const page = await context.newPage()
  page.on("console", (message) => complaints.push(`console: ${message.text()}`))
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`))
  page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`))
  page.on("request", (request) => {
    if (request.url() !== `file://${opened}`) complaints.push(`request: ${request.url()}`)
  })
  return {
    complaints,
    open: async (html, { dark = false, width = 1280 } = {}) => {
      opened = html
      await page.setViewportSize({ width, height: 900 })
      await page.emulateMedia({ media: null, colorScheme: dark ? "dark" : "light" })
      await page.goto(`file://${html}`)
      return page
    },
    close: () => browser.close()
  }
}

/** A folder with a log, and the report that the built command makes of it. */
export const report = (log: string, ...flags: ReadonlyArray<string>) => {
  const folder = temporary()
  const [file, html] = [Path.join(folder.path, "log.jsonl"), Path.join(folder.path, "report.html")]
  Fs.writeFileSync(file, log)
  ChildProcess.execFileSync(command, ["report", file, "-o", html, ...flags], { env: { PATH: path } })
  return { log: file, html, [Symbol.dispose]: folder[Symbol.dispose] }
}
