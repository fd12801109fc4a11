package import DynamicEvents
package import Storage

// One process serves a folder. So it leads every handler, and has every duty, as long as it runs.
extension RevocationStore: Store {
  package var location: String { path }
  package var server: ServerStanding? { nil }

  package func makeLookUps() -> LookUpPath { .inline(LookUpReader(self)) }

  package func claim(
    _ handler: String, patterns: [String], at now: Timestamp
  ) throws(StoreError) -> HandlerClaim {
    let cursor = try handlerPosition(registering: handler, at: now)
    return .leads(
      HandlerLease(handler: cursor.id, epoch: 0, position: cursor.position, validity: nil, renewal: nil))
  }

  package func renew(_ lease: HandlerLease, patterns: [String]) -> Bool { true }

  package func release(_ lease: HandlerLease) {}

  package var patternsElsewhere: [String] { [] }

  package func record(
    _ attempts: [Attempt], lease: HandlerLease, advancingTo position: Int64?
  ) throws(StoreError) {
    try record(attempts, handler: lease.handler, advancingTo: position)
  }

  package func take(_ duty: SharedDuty, for time: Duration) -> Bool { true }

  package func leave(_ duty: SharedDuty) {}
}
