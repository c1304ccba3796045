/**
 * Builds `dist/passthrough`, the plugin, and `dist/cni-passthrough`, the companion command, one executable file each.
 *
 *   node esbuild.config.mjs           builds
 *   node esbuild.config.mjs --size    builds, and prints what is in the plugin, largest first
 */
import * as esbuild from "esbuild"
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { minify } from "terser"

const outfile = "dist/passthrough"

/** What the plugin may weigh, in bytes. Each one is parsed for each verb of each container. */
const budget = 110_000

// A property of `globalThis` could be a getter with side effects, so everything in Schema that is built from one
// would stay in the bundle (9 KB) and run at the start. As plain names they are known to be harmless.
const globals = ["File", "RegExp", "URL", "URLSearchParams", "Uint8Array"]

const bundle = await esbuild.build({
  entryPoints: ["src/main.ts"],
  bundle: true,
  define: Object.fromEntries(globals.map((name) => [`globalThis.${name}`, name])),
  platform: "node",
  target: "node22",
  format: "cjs", // starts 8 to 10 ms faster than an ES module
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  minifySyntax: true,
  outfile,
  write: false
})
// Node.js's own modules need none of the interoperability that esbuild wraps them in: it copies each of their hundred
// properties, in 1 ms of the 13 that a whole run of the standalone executable takes.
const unwrapped = bundle.outputFiles[0].text.replace(/__toESM\((require\("node:\w+"\)), 1\)/g, "$1")
// With esbuild's own minifier alone 6 KB more would be left, without its help 1 KB.
const { code } = await minify(unwrapped, {
  compress: { ecma: 2020, passes: 4, pure_getters: true, toplevel: true },
  mangle: { toplevel: true },
  format: { ascii_only: true } // a single other character makes the engines keep all of the text at two bytes each
})
const text = `#!/usr/bin/env node\n${code}\n`

/** By rename: a plugin that a runtime is about to start is never half written. */
const write = (file, script) => {
  writeFileSync(`${file}.new`, script)
  chmodSync(`${file}.new`, 0o755)
  renameSync(`${file}.new`, file)
}
mkdirSync("dist", { recursive: true })
write(outfile, text)

// The companion command. It is no plugin: its size and start do not matter.
const companion = await esbuild.build({
  entryPoints: ["src/cli/main.ts"],
  bundle: true,
  platform: "node",
  target: "node22",
  format: "cjs",
  banner: { js: "#!/usr/bin/env node" },
  minify: true,
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  outfile: "dist/cni-passthrough",
  write: false
})
write("dist/cni-passthrough", companion.outputFiles[0].text)

// A file without an extension is what its folder says: the plugin a script, the library modules. On the CNI path there
// is no package.json, and it is a script there too.
mkdirSync("dist/lib", { recursive: true })
writeFileSync("dist/package.json", `{ "type": "commonjs" }\n`)
writeFileSync("dist/lib/package.json", `{ "type": "module" }\n`)

/** The packages that modules come from, with their licences. */
const notices = (paths) => {
  const names = new Set(paths.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []))
  return [...names].sort().map((name) => {
    const { license, version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"))
    return `${name} ${version} (${license})\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim()}\n`
  }).join(`\n${"-".repeat(80)}\n\n`)
}
writeFileSync(
  "dist/THIRD_PARTY_NOTICES",
  notices(Object.keys({ ...bundle.metafile.inputs, ...companion.metafile.inputs }))
)

const size = Buffer.byteLength(text)
if (process.argv.includes("--size")) {
  // Minified as a whole, a module has no size of its own any more: what is printed is its share before that.
  const [{ bytes, inputs }] = Object.values(bundle.metafile.outputs)
  const modules = Object.entries(inputs).map(([path, { bytesInOutput }]) => [bytesInOutput / bytes, path])
  for (const [share, path] of modules.sort(([left], [right]) => right - left)) {
    if (share === 0) continue
    const figures = `${String(Math.round(share * size)).padStart(7)} ${(share * 100).toFixed(1).padStart(5)} %`
    process.stdout.write(`${figures}  ${path.replace(/^node_modules\//, "")}\n`)
  }
  process.stdout.write(`${String(size).padStart(7)} of ${budget} bytes  ${outfile}\n`)
}
if (size > budget) {
  process.exitCode = 1
  process.stderr.write(`${outfile} has ${size} bytes, ${size - budget} more than its budget of ${budget}\n`)
}
