import DynamicEvents
import Foundation
import Storage
import Testing

@testable import Receiver

@Suite("Fuzzing what asks for events and dead letters", .timeLimit(.minutes(5)))
struct InspectionFuzzTests {
  static let session = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"
  static let mutator = Mutator(
    tokens: [
      "limit=", "before=", "session=", "&", "=", "1000", "1001", "0", "-1", "%2F", "%", "%zz", "17/audit",
      "9223372036854775807",
      #"{"ids":["#, "]}", #""17/audit""#, "\\u002f", "\"", ",", "\u{0}", "١", session,
    ].map { Array($0.utf8) })

  @Test func `A damaged query is refused by a sentence without input, or asks for what it says`() {
    let queries = ["", "limit=5", "before=17&limit=1000", "session=\(Self.session)&before=17%2Faudit", "limit=1&"]
    FuzzRun.inputs(5_000) { random in
      var query = Array(random.pick(queries).utf8)
      if !random.oneIn(8) { Self.mutator.mutate(&query, &random) }
      return (query, Self.violation(query))
    }
  }

  private static func violation(_ input: [UInt8]) -> String? {
    do throws(InspectionQuery.Malformed) {
      let query = try InspectionQuery(input.span, takesSession: true)
      guard 1...InspectionQuery.longest ~= query.limit else { return "a limit of \(query.limit)" }
      // Foundation reads the same out of it, unless it holds what no request's target may.
      let items =
        URLComponents(string: "/?" + String(decoding: input, as: UTF8.self), encodingInvalidCharacters: false)?
        .queryItems ?? []
      for (name, value) in [("before", query.before), ("session", query.session.map { "\($0)" })] {
        let item = items.first { $0.name == name }?.value
        guard let value, let item else { continue }
        if value != (name == "session" ? item.lowercased() : item) { return "\(name) read as \(value), not \(item)" }
      }
      return nil
    } catch {
      return fixed(error.detail)
    }
  }

  @Test func `A damaged list of ids is refused by a sentence without input, or is what Foundation reads`() {
    let bodies = [#"{"ids":["17/audit","3"]}"#, #"{"ids":[]}"#, #" { "ids" : [ "1/a b" ] } "#]
    FuzzRun.inputs(5_000) { random in
      var body = Array(random.pick(bodies).utf8)
      if !random.oneIn(8) { Self.mutator.mutate(&body, &random) }
      do throws(InspectionQuery.Malformed) {
        let ids = try DeadLetterIDs(body.span).ids
        let object = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: [String]]
        let expected = object?["ids"]?.map { DeadLetterID($0) }
        return (body, expected == ids ? nil : "read as \(ids), not \(String(describing: expected))")
      } catch {
        return (body, Self.fixed(error.detail))
      }
    }
  }

  private static func fixed(_ detail: String) -> String? {
    detail.utf8.allSatisfy { (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") }
      ? nil : "the refusal holds input: \(detail)"
  }
}
