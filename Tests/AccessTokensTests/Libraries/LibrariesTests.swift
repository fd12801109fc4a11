import DynamicEvents
import Foundation
import RevocationStore
import Storage
import TestSupport
import Testing

@testable import AccessTokens

/// What other libraries accept, against what is decided here.
///
/// `REVOKED_TOKENS=N` makes N mutated tokens instead of 4,000, and `REVOKED_SEED=N` others.
@Suite("Tokens as PyJWT, joserfc and jwcrypto read them", .timeLimit(.minutes(30)))
struct LibrariesTests {
  private static let batch = 1000

  struct Claims: Decodable {
    let sid: JSONValue?
    let originalSid: JSONValue?
    let sub: JSONValue?
    let iat: JSONValue?
  }

  enum JSONValue: Decodable, Equatable {
    case text(String)
    case number(Double)
    case other

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        self = .text(text)
      } else if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else {
        self = .other
      }
    }
  }

  @Test(.enabled(if: Libraries.areHere, "README's test command installs the libraries"))
  func `what any of them accepts of a revoked or cut-off session is refused, and what is accepted here they accept`()
    throws
  {
    let count = ProcessInfo.processInfo.environment["REVOKED_TOKENS"].flatMap { Int($0) } ?? 4000
    let seed =
      LongRun.isAsked || ProcessInfo.processInfo.environment["REVOKED_SEED"] != nil
      ? LongRun.seed(for: "libraries") : 17
    var random = SplitMix(seed: seed)
    let tokens = try MutatedToken()
    let libraries = try Libraries(keySet: tokens.keySet)
    let keys = try KeySetTests.keys(tokens.keySet)
    let verifier = TokenVerifier(TokenRules(environment: MutatedToken.environment, audience: MutatedToken.audience))
    try verifier.use(keys)
    let cutOffs = CutOffs()
    var (accepted, dangerous, verified) = (0, 0, 0)
    for _ in stride(from: 0, to: count, by: Self.batch) {
      let now = Int64(Date().timeIntervalSince1970)
      cutOffs.insert([
        CutOff(
          .user, try #require(TokenClaimsTests.uuid(MutatedToken.cutOffUser)),
          before: Timestamp(milliseconds: (now - 50) * 1000))
      ])
      let batch = try (0..<Self.batch).map { _ in try tokens.make(at: now, &random) }
      for (token, answers) in zip(batch, try libraries.answers(to: batch)) {
        let time = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        func record(_ problem: String) {
          Issue.record("seed \(seed): \(problem)\n\(String(decoding: token, as: UTF8.self))\n\(answers)")
        }
        if answers.contains(where: { $0 != nil }) { accepted += 1 }
        for answer in answers {
          guard let answer, Self.isRefusable(answer, cutOffAt: Double(now - 50)) else { continue }
          dangerous += 1
          if let claims = try? TokenClaims(unverified: token.span), !Self.isRefused(claims, cutOffs, at: time) {
            record("a revoked or cut-off session passes unverified")
          }
        }
        guard let ours = try? verifier.verify(token.span, at: time) else { continue }
        verified += 1
        let theirs = answers.compactMap { $0 }
        if theirs.count < 3 { record("verified here, and refused by others") }
        for answer in theirs {
          // A session's id is one in either case.
          if Self.folded(answer.sid) != .text(ours.claims.sid.description)
            || answer.sub != .text(String(decoding: ours.user, as: UTF8.self))
            || answer.originalSid.map({ $0 != .other }) == true
              && Self.folded(answer.originalSid) != ours.claims.originalSid.map({ .text($0.description) })
          {
            record("read differently")
          }
          if Self.isRefusable(answer, cutOffAt: Double(now - 50)), !Self.isRefused(ours.claims, cutOffs, at: time) {
            record("a revoked or cut-off session passes verified")
          }
        }
      }
    }
    print(
      "libraries: \(count) tokens, \(accepted) accepted by any, \(dangerous) answers of refused sessions, \(verified) "
        + "verified"
    )
    // So that the test does not become one of nothing.
    #expect(accepted > count / 10 && dangerous > count / 20 && verified > count / 20)
  }

  private static func folded(_ id: JSONValue?) -> JSONValue? {
    if case .text(let text) = id { .text(text.lowercased()) } else { id }
  }

  private static func isRefusable(_ claims: Claims, cutOffAt before: Double) -> Bool {
    for id in [claims.sid, claims.originalSid] {
      if case .text(let text) = id, text.lowercased() == MutatedToken.revoked { return true }
    }
    guard case .text(MutatedToken.cutOffUser) = claims.sub else { return false }
    switch claims.iat {
    case .number(let iat): return iat <= before
    // A time that an application may take for one.
    case .text(let text): return Double(text).map { $0 <= before } ?? false
    case .other, nil: return true
    }
  }

  private static func isRefused(_ claims: TokenClaims, _ cutOffs: CutOffs, at now: Timestamp) -> Bool {
    [claims.sid, claims.originalSid].contains { $0?.description == MutatedToken.revoked }
      || cutOffs.refuses(claims, at: now)
  }
}

/// The libraries, in a process of Python's.
///
/// `python3 -m pip install --target .build/python PyJWT joserfc jwcrypto` puts them where they are looked for.
final class Libraries {
  struct Silent: Error {}

  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  private static let folder = root.appending(path: ".build/python")

  /// In CI they have to be.
  static let areHere =
    FileManager.default.fileExists(atPath: folder.appending(path: "joserfc").path)
    || ProcessInfo.processInfo.environment["CI"] != nil

  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private var rest: [UInt8] = []

  init(keySet: String) throws {
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "python3", URL(filePath: #filePath).deletingLastPathComponent().appending(path: "libraries.py").path,
    ]
    process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONPATH": Self.folder.path]) { $1 }
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    try output.fileHandleForWriting.close()
    try write(
      #"{"keys":\#(keySet),"environment":"\#(MutatedToken.environment)","audience":"\#(MutatedToken.audience)"}"#)
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.terminate()
    process.waitUntilExit()
  }

  func answers(to tokens: [[UInt8]]) throws -> [[LibrariesTests.Claims?]] {
    // Written aside, since the answers fill a pipe before the last token is written.
    let writing = Thread { [input] in
      let digits = Array("0123456789abcdef".utf8)
      var text: [UInt8] = []
      for token in tokens {
        for byte in token { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        text.append(0x0A)
      }
      try? input.fileHandleForWriting.write(contentsOf: Data(text))
      // A line that no token is, to have the output flushed.
      try? input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
    }
    writing.start()
    let decoder = JSONDecoder()
    let answers = try tokens.map { _ in try decoder.decode([LibrariesTests.Claims?].self, from: Data(line())) }
    _ = try line()
    return answers
  }

  private func write(_ line: String) throws {
    try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
  }

  private func line() throws -> [UInt8] {
    while true {
      if let end = rest.firstIndex(of: 0x0A) {
        defer { rest.removeFirst(end + 1) }
        return Array(rest[..<end])
      }
      let data = output.fileHandleForReading.availableData
      guard !data.isEmpty else { throw Silent() }
      rest += data
    }
  }
}
