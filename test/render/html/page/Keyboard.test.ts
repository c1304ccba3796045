/** What keys do on the page. */
import { assert, describe, it } from "@effect/vitest"
import * as Keyboard from "../../../../src/render/html/page/Keyboard.ts"

/** What is known of an element of the page. */
interface Place {
  /** The number of the operation that the element is in. */
  readonly inside?: number
  /** The selector of a field that the element is in. */
  readonly field?: string
}

class FakeElement {
  readonly place: Place
  constructor(place: Place = {}) {
    this.place = place
  }
  closest(selector: string): unknown {
    const { field, inside } = this.place
    if (field !== undefined && selector.split(", ").includes(field)) return this
    if (selector !== ".operation" || inside === undefined) return null
    return {
      querySelector: (within: string) =>
        within === "[data-operation]" ? { dataset: { operation: String(inside) } } : null
    }
  }
}

class FakeHtmlElement extends FakeElement {
  dataset: { readonly [name: string]: string } = {}
}

class FakeInput extends FakeHtmlElement {
  isBlurred = false
  blur(): void {
    this.isBlurred = true
  }
}

Object.assign(globalThis, { Element: FakeElement, HTMLElement: FakeHtmlElement, HTMLInputElement: FakeInput })

/** The line of an operation. */
const line = (operation: number): FakeHtmlElement =>
  Object.assign(new FakeHtmlElement({ inside: operation }), { dataset: { operation: String(operation) } })

/** What the page does when this key is pressed here, and whether the browser does nothing besides. */
const press = (key: string, target: unknown = new FakeHtmlElement(), modifiers: object = {}) => {
  const done: Array<unknown> = []
  const keys = new EventTarget()
  Object.assign(globalThis, { document: keys })
  const end = Keyboard.listen({
    go: (from, by) => done.push(["go", from, by]),
    search: () => done.push("search"),
    close: (id) => done.push(["close", id]),
    clear: () => done.push("clear")
  })
  const event = () => {
    const event = Object.assign(new Event("keydown", { cancelable: true }), { key, ...modifiers })
    Object.defineProperty(event, "target", { value: target })
    return event
  }
  const pressed = event()
  keys.dispatchEvent(pressed)
  end()
  keys.dispatchEvent(event()) // nothing listens any more
  return [...done, ...(pressed.defaultPrevented ? ["prevented"] : [])]
}

describe("keys", () => {
  it("j and k go to the next operation and to the one before, from anywhere", () => {
    assert.deepStrictEqual(press("j"), [["go", undefined, 1], "prevented"])
    assert.deepStrictEqual(press("k"), [["go", undefined, -1], "prevented"])
    assert.deepStrictEqual(press("j", line(3)), [["go", 3, 1], "prevented"])
    assert.deepStrictEqual(press("k", new FakeElement({ inside: 0 })), [["go", 0, -1], "prevented"])
  })

  it("arrows go through operations on the line of one, and scroll elsewhere", () => {
    assert.deepStrictEqual(press("ArrowDown", line(3)), [["go", 3, 1], "prevented"])
    assert.deepStrictEqual(press("ArrowUp", line(3)), [["go", 3, -1], "prevented"])
    for (const key of ["ArrowDown", "ArrowUp"]) {
      for (const place of [new FakeHtmlElement(), new FakeHtmlElement({ inside: 3 }), new FakeElement({ inside: 3 })]) {
        assert.deepStrictEqual(press(key, place), [])
      }
    }
  })

  it("/ searches", () => {
    assert.deepStrictEqual(press("/"), ["search", "prevented"])
    assert.deepStrictEqual(press("/", line(3)), ["search", "prevented"])
  })

  it("Escape closes the operation that it is pressed in", () => {
    assert.deepStrictEqual(press("Escape", line(0)), [["close", 0]])
    assert.deepStrictEqual(press("Escape"), [])
  })

  it("Escape leaves the search and forgets its text", () => {
    const input = new FakeInput({ field: "input", inside: 3 })
    assert.deepStrictEqual(press("Escape", input), ["clear"])
    assert.isTrue(input.isBlurred)
  })

  it("are text in fields", () => {
    for (const field of ["input", "select", "textarea"]) {
      for (const key of ["j", "k", "/", "ArrowDown"]) {
        assert.deepStrictEqual(press(key, Object.assign(line(3), { place: { field, inside: 3 } })), [])
      }
    }
  })

  it("others, and those with a modifier, do nothing here", () => {
    assert.deepStrictEqual(press("x", line(3)), [])
    for (const modifier of ["altKey", "ctrlKey", "metaKey"]) {
      for (const key of ["j", "/", "Escape"]) assert.deepStrictEqual(press(key, line(3), { [modifier]: true }), [])
    }
  })

  it("do nothing where no element has the keyboard", () => {
    for (const key of ["j", "/", "Escape"]) assert.deepStrictEqual(press(key, new EventTarget()), [])
  })
})
