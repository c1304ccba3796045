/** What people apply from `conf/kubernetes` is what Kubernetes takes, and asks for no more than it says. */
import { assert, describe, it } from "@effect/vitest"
import { DaemonSet } from "kubernetes-models/apps/v1"
import { Namespace } from "kubernetes-models/v1"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Manifests from "../support/manifests.ts"
import { repository } from "../support/plugin.ts"

type Fields = ReadonlyArray<string>

/** The same value, and which of its fields are looked at. */
const observed = (value: unknown, seen: Set<string>, path: Fields = []): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map((item, index) => observed(item, seen, [...path, String(index)]))
  const fields = Object.entries(value).map(([key, item]) => [key, observed(item, seen, [...path, key])])
  return new Proxy(Object.fromEntries(fields), {
    get: (target, key) => {
      if (typeof key === "string") seen.add([...path, key].join("/"))
      return Reflect.get(target, key)
    }
  })
}

/** All fields of a document. */
const fieldsOf = (value: unknown, path: Fields = []): ReadonlyArray<string> =>
  typeof value !== "object" || value === null ? [] : Object.entries(value).flatMap(([key, item]) => {
    const here = [...path, key]
    return [...(Array.isArray(value) ? [] : [here.join("/")]), ...fieldsOf(item, here)]
  })

/** Where a document is not what the schema of Kubernetes expects. A field that no schema looks at is not known. */
const problems = (Model: new(data: never) => { readonly validate: () => void }, document: object) => {
  const seen = new Set<string>()
  const model = new Model(document as never)
  Object.assign(model, observed(document, seen))
  try {
    model.validate()
  } catch (error) {
    return [String(error)]
  }
  return fieldsOf(document).filter((field) => !seen.has(field) && !/^(?:apiVersion|kind)$/.test(field))
}

describe("conf/kubernetes", () => {
  it("is one Kustomize base of all its files", () => {
    const { apiVersion, images, kind, resources } = Manifests.read("kustomization.yaml")
    assert.deepStrictEqual([apiVersion, kind], ["kustomize.config.k8s.io/v1beta1", "Kustomization"])
    assert.deepStrictEqual([...resources, "kustomization.yaml"].sort(), Manifests.filesOf("kubernetes"))
    assert.deepStrictEqual(images.map(({ name }: { readonly name: string }) => name), [
      Manifests.pod().container.image
    ])
  })

  it("names the image of this version", () => {
    const { version } = JSON.parse(Fs.readFileSync(Path.join(repository, "package.json"), "utf8"))
    assert.strictEqual(Manifests.image(), `localhost/cni-passthrough:${version}`)
  })

  for (const [file, Model] of [["daemonset.yaml", DaemonSet], ["namespace.yaml", Namespace]] as const) {
    it(`${file} is what the schema of Kubernetes expects`, () => {
      const document = Manifests.read(file)
      assert.deepStrictEqual([document.apiVersion, document.kind], [Model.apiVersion, Model.kind])
      assert.deepStrictEqual(problems(Model, document), [])
    })
  }

  it("would not pass with a field that Kubernetes does not know, or a value of another kind", () => {
    const document = Manifests.read("daemonset.yaml")
    document.spec.template.spec.containers[0].securityContext.readOnlyRootFileSystem = true
    assert.deepStrictEqual(problems(DaemonSet, document), [
      "spec/template/spec/containers/0/securityContext/readOnlyRootFileSystem"
    ])
    document.spec.template.spec.hostPID = "yes"
    assert.match(problems(DaemonSet, document).join(), /hostPID must be boolean/)
  })

  it("is in the namespace that it makes, and finds its own pods", () => {
    const { metadata, spec } = Manifests.read("daemonset.yaml")
    assert.strictEqual(metadata.namespace, Manifests.read("namespace.yaml").metadata.name)
    assert.deepStrictEqual(spec.selector.matchLabels, spec.template.metadata.labels)
  })

  it("asks for four capabilities, writes into two folders, and talks to nobody", () => {
    const { container, spec } = Manifests.pod()
    const { add, drop } = container.securityContext.capabilities
    assert.deepStrictEqual([drop, add], [["ALL"], ["SYS_CHROOT", "DAC_OVERRIDE", "FOWNER", "CHOWN"]])
    assert.deepStrictEqual(
      container.volumeMounts.filter(({ readOnly }: { readonly readOnly?: boolean }) => readOnly !== true)
        .map(({ mountPath }: { readonly mountPath: string }) => mountPath),
      ["/host/opt/cni/bin", "/run/cni-passthrough"]
    )
    assert.deepStrictEqual([container.ports, container.env, spec.automountServiceAccountToken], [
      undefined,
      undefined,
      false
    ])
  })

  it("has more time to end than calls of plugins are waited for", () => {
    assert.isAbove(Manifests.pod().spec.terminationGracePeriodSeconds, 45)
  })
})

describe("conf/kubernetes-doctor", () => {
  it("is one Kustomize overlay of the base, with all its files", () => {
    const { patches, resources, ...others } = Manifests.read("kustomization.yaml", "kubernetes-doctor")
    assert.deepStrictEqual(others, { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization" })
    assert.deepStrictEqual([resources, patches], [["../kubernetes"], [{ path: "rights.yaml" }]])
    assert.deepStrictEqual(Manifests.filesOf("kubernetes-doctor"), ["kustomization.yaml", "rights.yaml"])
  })

  it("changes the rights of the container of the base alone", () => {
    const { metadata, spec, ...others } = Manifests.read("rights.yaml", "kubernetes-doctor")
    const base = Manifests.read("daemonset.yaml")
    assert.deepStrictEqual(others, { apiVersion: base.apiVersion, kind: base.kind })
    assert.deepStrictEqual(metadata, { name: base.metadata.name, namespace: base.metadata.namespace })
    const [{ name, securityContext, ...rest }, ...more] = spec.template.spec.containers
    assert.deepStrictEqual([name, rest, more], [Manifests.pod().container.name, {}, []])
    assert.hasAllKeys(securityContext, ["allowPrivilegeEscalation", "capabilities", "privileged"])
  })

  it("has the capabilities of the base, and three to look at all", () => {
    const { container } = Manifests.doctorPod()
    assert.deepStrictEqual(container.securityContext.capabilities.add, [
      ...Manifests.pod().container.securityContext.capabilities.add,
      "SYS_ADMIN",
      "SYS_PTRACE",
      "NET_ADMIN"
    ])
  })

  it("is what the schema of Kubernetes expects, with the base", () => {
    const document = Manifests.read("daemonset.yaml")
    document.spec.template.spec.containers = [Manifests.doctorPod().container]
    assert.deepStrictEqual(problems(DaemonSet, document), [])
  })
})

describe("conf/kubernetes-leaks", () => {
  it("is one Kustomize overlay of conf/kubernetes-doctor, with all its files", () => {
    const { patches, resources, ...others } = Manifests.read("kustomization.yaml", "kubernetes-leaks")
    assert.deepStrictEqual(others, { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization" })
    assert.deepStrictEqual([resources, patches], [["../kubernetes-doctor"], [{ path: "leaks.yaml" }]])
    assert.deepStrictEqual(Manifests.filesOf("kubernetes-leaks"), ["kustomization.yaml", "leaks.yaml"])
  })

  it("changes the DaemonSet of the base, and is what the schema of Kubernetes expects with it", () => {
    const document = Manifests.read("daemonset.yaml")
    const { apiVersion, kind, metadata } = Manifests.read("leaks.yaml", "kubernetes-leaks")
    assert.deepStrictEqual([apiVersion, kind], [document.apiVersion, document.kind])
    assert.deepStrictEqual(metadata, { name: document.metadata.name, namespace: document.metadata.namespace })
    const { container, spec } = Manifests.leaksPod()
    document.spec.template.spec = { ...spec, containers: [container] }
    assert.deepStrictEqual(problems(DaemonSet, document), [])
  })

  it("keeps the host clean, and may write on it", () => {
    const { container } = Manifests.leaksPod()
    const words = container.args.join(" ").replaceAll("=", " ")
    assert.strictEqual(words, "leaks --host-root /host --fix --every 5m --older 10m --json")
    const host = container.volumeMounts.find(({ name }: { readonly name: string }) => name === "host")
    assert.deepStrictEqual([host.mountPath, host.readOnly], ["/host", false])
  })
})
