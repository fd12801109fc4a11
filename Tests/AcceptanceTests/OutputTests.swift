import Foundation
import TestSupport
import Testing

@Suite("What commands print, read and inherit", .timeLimit(.minutes(2)))
struct OutputTests {
  /// Runs a command line of the shell's, with `$0` for the executable.
  private func shell(_ script: String, environment: [String: String] = [:]) throws -> Executable.Result {
    let process = Executable.process(
      ["-c", script, Executable.url.path], ["DYNAMIC_WEBHOOK_SECRET": Executable.secret].merging(environment) { $1 })
    process.executableURL = URL(filePath: "/bin/bash")
    return try Executable.finish(process)
  }

  @Test(arguments: [
    "--version", "--help", "help serve", "config show", "config show --json", "config check", "sign",
    "verify --signature x", "events list", "events list --json", "events show 1", "dead list --json",
    "dead show 1/audit", "check 3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c11", "dead replay --all",
    "dead discard --all --json",
  ])
  func `what standard output cannot take is an I/O error`(command: String) throws {
    let store = try SeededStore(events: 2)
    let result = try shell(#""$0" \#(command) >/dev/full </dev/null"#, environment: ["REVOKED_DATA": store.folder.data])
    #expect(result.status == 74)
    #expect(result.errors.contains("revoked: cannot write to standard output: No space left on device\n"))
  }

  @Test func `a reader that has gone ends a command quietly, and soon`() throws {
    let store = try SeededStore(events: 500)
    let result = try shell(
      #""$0" events list --all --json | head -n 1; echo "${PIPESTATUS[0]}""#,
      environment: ["REVOKED_DATA": store.folder.data])
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.last == "\(128 + SIGPIPE)")
    #expect(result.errors == "")
  }

  @Test func `without an argument list no command pretends to have worked`() throws {
    let start = "import ctypes, sys; ctypes.CDLL(None).execve(sys.argv[1].encode(), (ctypes.c_char_p * 1)(None), None)"
    let result = try shell(#"exec python3 -c '\#(start)' "$0""#)
    #expect(result.status == 70)
    #expect(result.output == "")
    #expect(result.errors.hasPrefix("revoked: the command line cannot be read"))
    // A name that is empty is no lost list.
    #expect(try shell(#"exec -a '' "$0" --version"#).status == 0)
  }

  @Test(arguments: ["<&-", ">&-", "2>&-"])
  func `a standard descriptor that is closed never becomes another file's`(closing: String) throws {
    let store = try SeededStore(events: 1)
    let target = "\(store.folder.path)/copy"
    let result = try shell(#""$0" backup '\#(target)' \#(closing)"#, environment: ["REVOKED_DATA": store.folder.data])
    #expect(result.status == 0, "\(result.errors)")
    // A database, and no line of a command's within.
    #expect(try Executable.run(["check", "--data", store.folder.data, store.sessions[0]]).status == 0)
    #expect(FileManager.default.contents(atPath: target)?.starts(with: Array("SQLite format 3\0".utf8)) == true)
  }

  @Test func `a pipe is as good as a file, and one that nobody writes to is refused in time`() throws {
    let folder = try TemporaryFolder()
    let good = try shell(#""$0" config show --config <(echo 'path: /from-a-pipe')"#)
    #expect(good.status == 0 && good.output.contains("path = /from-a-pipe"), "\(good.errors)")
    let path = "\(folder.path)/pipe"
    // A String lent to C lives as long as the call.
    #expect(unsafe mkfifo(path, 0o600) == 0)
    let silent = try shell(#""$0" config check --config '\#(path)'"#)
    #expect(silent.status == 78)
    #expect(silent.errors.contains("\(path) is a pipe or a device, and did not deliver within"))
  }

  @Test func `an option that there is not leads to the one that is meant`() throws {
    let hint = { (option: String) in try Executable.run(["serve", option, "1"]).errors }
    #expect(try hint("--port").contains("The public listener is --listen HOST:PORT"))
    #expect(try hint("--limits.body").contains("--set limits.body=VALUE"))
    #expect(try hint("--private-token").contains("REVOKED_PRIVATE_TOKEN"))
    #expect(try hint("--privat-listen").contains("Did you mean '--private-listen'?"))
  }
}
