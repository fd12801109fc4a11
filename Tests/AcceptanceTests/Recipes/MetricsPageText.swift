import Foundation
import TestSupport

/// The metrics page of a running receiver that has had a delivery, a look-up and a handler's work.
struct MetricsPageText {
  /// What only a store on PostgreSQL adds.
  static let ofPostgreSQL: Set<String> = ["revoked_store_proof_age_seconds", "revoked_store_waits_for_standby"]

  let text: String

  init() throws {
    let dynamic = try StandInDynamic()
    let server = try dynamic.server(in: TemporaryFolder(), ["REVOKED_HANDLERS_AUDIT_KIND": "log"])
    guard server.log.wait(until: { $0.contains("the new store has caught up with Dynamic") }) else {
      throw POSIXError(.ETIMEDOUT)
    }
    for vector in Vector.all { _ = try server.post(vector.text, signature: vector.signature) }
    _ = try server.post(Vector.ping.text, signature: Vector.sessionRevoked.signature)
    _ = try server.get("/v1/sessions/\(DeliveryTests.session)")
    text = try server.get("/metrics").body
  }

  /// Names as an expression may use them: those of samples, so `_bucket` and not the histogram.
  var sampleNames: Set<String> {
    Set(text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { String($0.prefix { $0 != "{" && $0 != " " }) })
  }

  /// What an expression names that is a metric of ours.
  static func names(in expression: String) -> Set<String> {
    Set(expression.matches(of: /\b(?:revoked|process)_[a-z_]+/).map { String($0.output) })
  }
}
