/**
 * Builds `dist/passthrough`, the plugin, and `dist/cni-passthrough`, the companion command, one executable file each.
 *
 *   node esbuild.config.mjs                            builds
 *   node esbuild.config.mjs --size                     builds, and prints what is in the plugin, largest first
 *   node esbuild.config.mjs --standalone               builds, and packs both with a Bun into one executable that needs
 *                                                      nothing on the host: dist/standalone/passthrough. The link
 *                                                      dist/standalone/cni-passthrough leads to it
 *   node esbuild.config.mjs --standalone x64 arm64     for these targets, each in a folder: dist/standalone/x64/passthrough,
 *                                                      …; x64-musl and arm64-musl are for hosts with musl
 */
import * as esbuild from "esbuild"
import * as Fs from "node:fs"
import { parseArgs } from "node:util"
import { minify } from "terser"
import * as Notices from "./.ci/licences/notices.mjs"
import * as Eager from "./.ci/pack/eager.mjs"
import * as Executables from "./.ci/pack/executables.mjs"

const { positionals: targets, values: { size, standalone } } = parseArgs({
  options: { size: { type: "boolean" }, standalone: { type: "boolean" } },
  allowPositionals: process.argv.includes("--standalone")
})

/** What the plugin may weigh, in bytes. Each one is parsed for each verb of each container. */
const budget = 183_000

/** One file out of a module and all that it imports. */
const bundle = (entryPoint, options) =>
  esbuild.build({
    entryPoints: [entryPoint],
    bundle: true,
    platform: "node",
    target: "node22",
    format: "cjs", // starts 8 to 10 ms faster than an ES module
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
    write: false,
    ...options
  })

/** The plugin's bundle as short as it gets: with esbuild's own minifier alone it would have 6 KB more. */
const shorten = async (code) => {
  // Node.js's own modules need none of the interoperability that esbuild wraps them in: it copies each of their hundred
  // properties, in 1 ms of the 13 that a whole run of the standalone executable takes.
  const unwrapped = code.replace(/__toESM\((require\("node:\w+"\)), 1\)/g, "$1")
  const minified = await minify(unwrapped, {
    compress: { ecma: 2020, passes: 4, pure_getters: true, toplevel: true },
    mangle: { toplevel: true },
    format: { ascii_only: true } // a single other character makes the engines keep all of the text at two bytes each
  })
  return `${minified.code}\n`
}

const [oldest] = /[\d.]+/.exec(JSON.parse(Fs.readFileSync("package.json", "utf8")).engines.node)

/** A script that begins in words that any Node.js understands, and runs `refuse` where that one is too old. */
const guarded = (refuse, code) =>
  `"use strict";
(function () {
  var found = process.versions.node.split("."), oldest = "${oldest}".split(".");
  if (+found[0] > +oldest[0] || (+found[0] == +oldest[0] && +found[1] >= +oldest[1])) return;
  var text = "needs Node.js ${oldest} or newer and was started by " + process.version + ", " + process.execPath +
    ": put a newer node first on the PATH, or install the standalone executable, which needs none";
  ${refuse}
})();
${code}`

// Code 50 of the specification: the plugin is not available. Without CNI_COMMAND a person asks.
const refuseRequest = `if (!process.env.CNI_COMMAND) process.stderr.write("passthrough " + text + "\\n");
  else process.stdout.write(JSON.stringify({ cniVersion: "1.0.0", code: 50, msg: "passthrough " + text }));
  process.exit(1);`
const refuseCommand = `process.stderr.write("cni-passthrough " + text + "\\n");
  process.exit(2);`

/** Writes a script by rename: a plugin that a runtime is about to start is never half written. */
const write = (file, code) => {
  Fs.writeFileSync(`${file}.new`, `#!/usr/bin/env node\n${code}`)
  Fs.chmodSync(`${file}.new`, 0o755)
  Fs.renameSync(`${file}.new`, file)
}

/** The packages that bundles are made of. */
const packagesIn = (...bundles) => {
  const paths = bundles.flatMap(({ metafile }) => Object.keys(metafile.inputs))
  const names = new Set(paths.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []))
  return [...names].sort().map((name) => {
    const { license, version } = JSON.parse(Fs.readFileSync(`node_modules/${name}/package.json`, "utf8"))
    return { name, version, licence: license }
  })
}

/** The licence of one package, with a line that names it. */
const notice = ({ licence, name, version }) => {
  const file = Fs.readdirSync(`node_modules/${name}`).find((file) => /^LICENSE(?:\.md)?$/.test(file))
  return `${name} ${version} (${licence})\n\n${Fs.readFileSync(`node_modules/${name}/${file}`, "utf8").trim()}\n`
}

/** Prints each module's share of the plugin before it was minified: after that a module has no size of its own. */
const printModules = ({ metafile }, total) => {
  const [{ bytes, inputs }] = Object.values(metafile.outputs)
  const modules = Object.entries(inputs).map(([path, { bytesInOutput }]) => [bytesInOutput / bytes, path])
  for (const [share, path] of modules.sort(([left], [right]) => right - left)) {
    if (share === 0) continue
    const figures = `${String(Math.round(share * total)).padStart(7)} ${(share * 100).toFixed(1).padStart(5)} %`
    process.stdout.write(`${figures}  ${path.replace(/^node_modules\//, "")}\n`)
  }
  process.stdout.write(`${String(total).padStart(7)} of ${budget} bytes  dist/passthrough\n`)
}

// A property of `globalThis` could be a getter with side effects, so everything in Schema that is built from one
// would stay in the bundle (9 KB) and run at the start. As plain names they are known to be harmless.
const globals = ["File", "RegExp", "URL", "URLSearchParams", "Uint8Array"]
const plugin = await bundle("src/plugin/main.ts", {
  define: Object.fromEntries(globals.map((name) => [`globalThis.${name}`, name])),
  minifySyntax: true // terser alone would leave 1 KB more
})
// The page of a report is part of the command, as the texts of its script and of its style.
const page = { bundle: true, minify: true, target: "es2022", metafile: true, write: false, logLevel: "warning" }
const script = await esbuild.build({
  ...page,
  entryPoints: ["src/render/html/page/main.tsx"],
  format: "iife",
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact"
})
const style = await esbuild.build({ ...page, entryPoints: ["src/render/html/page/page.css"] })
const assets = { script: script.outputFiles[0].text.trim(), style: style.outputFiles[0].text.trim() }
// The companion command is not a plugin: its size and its start do not matter.
const companion = await bundle("src/cli/main.ts", {
  define: { PAGE: JSON.stringify(assets) },
  mainFields: ["module", "main"], // the other form of jsonc-parser loads its parts by names that esbuild cannot see
  minify: true
})

// Executables of other sources than the scripts beside them would be installed in their place.
Fs.rmSync("dist/standalone", { recursive: true, force: true })
Fs.mkdirSync("dist/lib", { recursive: true })
write("dist/passthrough", Eager.mark(await shorten(guarded(refuseRequest, plugin.outputFiles[0].text))))
write("dist/cni-passthrough", guarded(refuseCommand, companion.outputFiles[0].text))
const packages = packagesIn(plugin, companion, script)
Fs.writeFileSync("dist/THIRD_PARTY_NOTICES", packages.map(notice).join(Notices.ruler))
Fs.writeFileSync("dist/packages.json", `${JSON.stringify(packages, null, 2)}\n`) // for the bill of materials
// A file without an extension is what its folder says: the plugin a script, the library modules. On the CNI path there
// is no package.json, and it is a script there too. Bundlers ask the nearest package.json whether they may drop modules.
Fs.writeFileSync("dist/package.json", `{ "type": "commonjs" }\n`)
Fs.writeFileSync("dist/lib/package.json", `{ "type": "module", "sideEffects": false }\n`)

const bytes = Fs.statSync("dist/passthrough").size
if (size) printModules(plugin, bytes)
if (bytes > budget) {
  process.exitCode = 1
  process.stderr.write(`dist/passthrough has ${bytes} bytes, ${bytes - budget} more than its budget of ${budget}\n`)
} else if (standalone) {
  process.stderr.write("packing the executable that needs no Node.js, which takes half a minute …\n")
  if (targets.length === 0) Executables.pack(process.arch, "dist/standalone")
  for (const target of targets) Executables.pack(target, `dist/standalone/${target}`)
  Executables.writeNotices("dist/standalone", Executables.parts(targets))
  const folders = targets.length === 0 ? ["dist/standalone"] : targets.map((target) => `dist/standalone/${target}`)
  for (const folder of folders) process.stderr.write(`packed ${folder}/passthrough and ${folder}/cni-passthrough\n`)
}
