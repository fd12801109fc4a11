import Foundation
import HTTPServer
import TestSupport
import Testing

/// Config's clients, in each way to use them.
struct ClientKind: Sendable, CustomTestStringConvertible {
  enum Language: String, Sendable { case node, go, wsgi, asgi }

  let language: Language
  /// What is known is in its memory. Otherwise it asks each time.
  let hasMemory: Bool

  static let withMemory = [Language.node, .go, .wsgi, .asgi].map { ClientKind(language: $0, hasMemory: true) }
  static let withoutMemory = [Language.node, .go, .wsgi].map { ClientKind(language: $0, hasMemory: false) }
  static let all = withMemory + withoutMemory

  var testDescription: String { "\(language.rawValue), \(hasMemory ? "feed" : "ask")" }
}

/// A small application that runs behind one of Config's clients, in a process of its own.
final class ClientApplication {
  private let process: Process
  private let address: ListenAddress
  private let folder: TemporaryFolder
  /// What it logs.
  let log: LogReader

  init(
    _ kind: ClientKind, asks server: ListenAddress, maxAge: Int = 3600, failsOpen: Bool = false, token: String? = nil
  ) throws {
    folder = try TemporaryFolder()
    let settings = ["\(maxAge)", failsOpen ? "open" : "closed", token ?? ""]
    let mode = kind.hasMemory ? "feed" : "ask"
    var arguments = [server.url, mode] + settings
    let program: String
    switch kind.language {
    case .node:
      program = "/usr/bin/node"
      // Node 18 says that its own fetch is an experiment.
      arguments = ["--no-warnings", try Self.sources(["revocations.mjs"], "application.mjs", in: folder)] + arguments
    case .go:
      program = try Self.built.get()
    case .wsgi, .asgi:
      program = "/usr/bin/python3"
      let script = try Self.sources(["revocations.py"], "application.py", in: folder)
      arguments = [script, kind.language.rawValue] + arguments
    }
    process = Executable.process(arguments, [:])
    process.executableURL = URL(filePath: program)
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    try output.fileHandleForWriting.close()
    try errors.fileHandleForWriting.close()
    log = LogReader(errors.fileHandleForReading)
    let start = LogReader(output.fileHandleForReading)
    address = try #require(start.address(after: "listening on "), "\(log.text)")
  }

  deinit {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  struct Answer {
    let status: Int
    /// By their names in lower case.
    let fields: [String: String]
    let body: String

    /// Of an answer that lets pass: how old the application's knowledge is, in seconds; infinite if it has none.
    var age: Double? { body.firstMatch(of: /age=([0-9.]+|[iI]nf.*)\n/).flatMap { Double($0.output.1) } }
  }

  /// A request whose claims, as JSON, the application has verified.
  func get(_ claims: String) throws -> Answer {
    let client = try Client(address)
    client.send("GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\nClaims: \(claims)\r\n\r\n")
    let text = client.read()
    let end = try #require(text.range(of: "\r\n\r\n"), "\(text)\(log.text)")
    let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
    let fields = lines.dropFirst().map { line in
      let parts = line.split(separator: ":", maxSplits: 1)
      return (parts[0].lowercased(), parts[1].trimmingCharacters(in: .whitespaces))
    }
    return Answer(
      status: try #require(Int(lines[0].split(separator: " ")[1])), fields: Dictionary(fields) { $1 },
      body: String(text[end.upperBound...]))
  }

  /// Why a session is refused, as the answer says it; nil where it passes.
  func refusal(of session: String) throws -> String? { try refusal(claims: #"{"sid":"\#(session)"}"#) }

  func refusal(claims: String) throws -> String? {
    let answer = try get(claims)
    let reason = answer.fields["x-revoked-reason"]
    switch answer.status {
    case 200: #expect(reason == nil && answer.age != nil)
    case 401: #expect(answer.fields["www-authenticate"] == #"Bearer error="invalid_token""# && reason != "unfit")
    default: #expect(answer.status == 503 && answer.fields["retry-after"] == "5" && reason == "unfit")
    }
    return reason
  }

  /// Once for all tests: Go takes seconds.
  private static let built = Result {
    let folder = try TemporaryFolder()
    let package = folder.path + "/revocations"
    try FileManager.default.createDirectory(atPath: package, withIntermediateDirectories: false)
    _ = try folder.write("module application\n\ngo 1.19\n", to: "go.mod")
    _ = try sources([], "application.go", in: folder)
    try copy(Repository.root.appending(path: "Config/clients/revocations.go"), to: package + "/revocations.go")
    let program = FileManager.default.temporaryDirectory.appending(path: "revoked-client-\(UUID().uuidString)").path
    let process = Executable.process(
      ["build", "-o", program, "."], ["GOCACHE": folder.path + "/cache", "GOPROXY": "off", "GOFLAGS": "-mod=mod"])
    process.executableURL = URL(filePath: "/usr/bin/go")
    process.currentDirectoryURL = URL(filePath: folder.path)
    let result = try Executable.finish(process, within: 240)
    guard result.status == 0 else { throw NotBuilt(errors: result.errors) }
    return program
  }

  struct NotBuilt: Error { let errors: String }

  /// Returns the application's path.
  private static func sources(_ client: [String], _ application: String, in folder: TemporaryFolder) throws -> String {
    for name in client {
      try copy(Repository.root.appending(path: "Config/clients/\(name)"), to: "\(folder.path)/\(name)")
    }
    let path = "\(folder.path)/\(application)"
    try copy(
      #require(Bundle.module.url(forResource: "Applications", withExtension: nil)).appending(path: application),
      to: path)
    return path
  }

  private static func copy(_ source: URL, to path: String) throws {
    try FileManager.default.copyItem(at: source, to: URL(filePath: path))
  }
}
