/** What README says about Kubernetes does what it says with the files of conf/kubernetes. */
import { assert, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { parse } from "yaml"
import { repository, temporary } from "../support/plugin.ts"
import { read } from "./markdown.ts"

it.each(["README.md", "docs/kubernetes.md"])("the edits in %s name the image and one node", (page) => {
  using folder = temporary()
  const files = Path.join(folder.path, "conf/kubernetes")
  Fs.cpSync(Path.join(repository, "conf/kubernetes"), files, { recursive: true })
  for (const edit of read(page).match(/^sed -i (?:.*\\\n)*.*$/gm) ?? []) {
    ChildProcess.execFileSync("sh", ["-c", edit], { cwd: folder.path })
  }
  const { images } = parse(Fs.readFileSync(`${files}/kustomization.yaml`, "utf8"))
  assert.deepInclude(images[0], { name: "cni-passthrough", newName: "registry.example/cni-passthrough" })
  const { spec } = parse(Fs.readFileSync(`${files}/daemonset.yaml`, "utf8"))
  assert.deepStrictEqual(spec.template.spec.nodeSelector, { "kubernetes.io/hostname": "node-1" })
})
