/** Makes system calls, and prints what came of them. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Libc from "../../../src/exec/Libc.ts"

const libc = Libc.load()
if (libc === undefined) throw new Error("this engine cannot call the C library")

/** The flags of a descriptor: those of open(2), and close-on-exec. */
const flagsOf = (fd: number): number => {
  const [, flags = ""] = /^flags:\s*(\d+)/m.exec(Fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")) ?? []
  return Number.parseInt(flags, 8)
}

const closesOnExec = (fd: number): boolean => (flagsOf(fd) & 0o2000000) !== 0

const errorOf = (io: () => unknown): string | undefined => {
  try {
    io()
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

const text = (fd: number): string => {
  const bytes = Buffer.alloc(100)
  return bytes.toString("utf8", 0, Fs.readSync(fd, bytes, 0, 100, null))
}

/** Session and process group of this process. */
const groups = (): ReadonlyArray<number> =>
  Fs.readFileSync("/proc/self/stat", "utf8").replace(/^.*\) /s, "").split(" ").slice(2, 4).map(Number)

const questions = {
  pipe: () => {
    const [read, write] = libc.pipe() ?? [-1, -1]
    Fs.writeSync(write, "through")
    return { text: text(read), closeOnExec: [read, write].map(closesOnExec) }
  },
  scarce: () => {
    const before = Fs.readdirSync("/proc/self/fd").length
    const opened: Array<number> = []
    while (errorOf(() => opened.push(Fs.openSync("/dev/null", "r"))) === undefined);
    const answers = { pipe: libc.pipe() === undefined, file: libc.anonymousFile() === undefined }
    for (const fd of opened) Fs.closeSync(fd)
    return { ...answers, leaked: Fs.readdirSync("/proc/self/fd").length - before }
  },
  file: () => {
    const fd = libc.anonymousFile() ?? -1
    Fs.writeSync(fd, "written")
    const atEnd = text(fd)
    libc.rewind(fd)
    return {
      name: Fs.readlinkSync(`/proc/self/fd/${fd}`),
      atEnd,
      text: text(fd),
      closeOnExec: closesOnExec(fd)
    }
  },
  setNonBlocking: () => {
    const [read] = libc.pipe() ?? [-1]
    libc.setNonBlocking(read)
    return errorOf(() => text(read))
  },
  clearCloseOnExec: () => {
    const fd = libc.anonymousFile() ?? -1
    libc.clearCloseOnExec(fd)
    return closesOnExec(fd)
  },
  wasClosed: () => [0, 1, 2].map((fd) => libc.wasClosed(fd)),
  isWritable: () => {
    const [read, write] = libc.pipe() ?? [-1, -1]
    const opened = ["r", "w", "r+"].map((flags) => libc.isWritable(Fs.openSync("/dev/null", flags)))
    const withReader = [libc.isWritable(read), libc.isWritable(write)]
    Fs.closeSync(read)
    return { opened, withReader, withoutReader: libc.isWritable(write) }
  },
  signals: () => {
    const before = libc.ignoredSignals()
    libc.resetSignal(1)
    return { before, after: libc.ignoredSignals() }
  },
  kill: () => {
    libc.kill(process.pid, 9)
    return "lives"
  },
  groups: () => {
    const leads = libc.leadsGroup()
    libc.leaveSession()
    return { leads, leadsNow: libc.leadsGroup(), own: groups().map((each) => each === process.pid) }
  },
  processLimit: () => libc.processLimit(),
  execute: () => {
    const strings = (...texts: ReadonlyArray<string>) => texts.map((each) => Buffer.from(`${each}\0`))
    libc.execute(Buffer.from("/no/such/program\0"), [], [])
    libc.execute(Buffer.from("/bin/sh\0"), strings("name", "-c", "echo \"$0 $A $B\""), strings("A=1", "B=2"))
    return "lives"
  },
  functions: () => ({
    unknown: Libc.functions({ no_such_function: { args: [], returns: "i32" } }) === undefined,
    pointers: [...Libc.pointers([Buffer.from("a\0"), Buffer.from("b\0")])].map((pointer) => pointer === 0n),
    same: Libc.load() === libc
  })
}

const name = process.argv[2] as keyof typeof questions
if (name === "kill") ChildProcess.execFileSync("true") // it can start programs
process.stdout.write(`${JSON.stringify(questions[name]())}\n`)
