internal import ArgumentParser
internal import DynamicAPI
internal import DynamicEvents
internal import Foundation
internal import Receiver
internal import Storage

/// What an operator revokes: an order for the store here, and a call of Dynamic's API. Each half is done whatever comes
/// of the other.
struct Revocation {
  /// Such as `session 3f0c6f6e-…`.
  let subject: String
  let order: OperatorOrder
  /// What has happened when the call has returned.
  let doneAtDynamic: String
  let call: (DynamicAPI) async throws(APIError) -> Void
}

extension OperatorOrder {
  /// A cut-off leaves what is issued later alone, so its user may sign in again.
  fileprivate var refused: String {
    switch self {
    case .revoke: "refused"
    case .cutOff: "every token issued until now is refused"
    }
  }
}

/// The two halves of what `revoke` does, and what has come of them.
struct RevocationWork {
  private let settings: Settings
  private let api: DynamicAPI?
  private var failureHere: ExitCode?
  private var failedAtDynamic = 0

  /// - Parameter isLocal: Dynamic is not asked, even if there is a token.
  init(_ settings: Settings, isLocal: Bool) throws {
    self.settings = settings
    api = isLocal || settings.dynamic.token == nil ? nil : try settings.dynamicAPI()
    if api == nil, !isLocal {
      Notice.say("not revoked at Dynamic, since there is no dynamic.api-token; --local says that this is meant")
    }
  }

  /// Has the orders committed. Where Dynamic is asked as well, a store that fails does not keep it from that.
  mutating func refuseHere(_ revocations: [Revocation]) throws {
    do {
      try settings.withStore(.amend) { store in
        let now = Timestamp(Date())
        for revocation in revocations {
          let outcome = try store.append([revocation.order.event(at: now)])
          let when = outcome == [.duplicate] ? ", as it was before" : " from now on"
          try Output.line("\(revocation.subject): \(revocation.order.refused) here\(when)")
        }
      }
    } catch let code as ExitCode where api != nil {
      failureHere = code
    }
  }

  mutating func revokeAtDynamic(_ revocations: [Revocation]) async throws {
    guard let api else { return }
    for (index, revocation) in revocations.enumerated() {
      do throws(APIError) {
        try await revocation.call(api)
      } catch {
        failedAtDynamic += 1
        Notice.say("\(revocation.subject): not revoked at Dynamic: \(error.advice(.writeUsers))")
        guard error.concernsEveryCall else { continue }
        let rest = revocations.count - index - 1
        if rest > 0 { Notice.say("Dynamic was not asked for the \(rest) behind it") }
        failedAtDynamic += rest
        break
      }
      try Output.line("\(revocation.subject): \(revocation.doneAtDynamic)")
    }
  }

  /// Whether Dynamic did all that it was asked for.
  var isDoneAtDynamic: Bool { api != nil && failedAtDynamic == 0 }

  /// Throws unless both halves are whole.
  func end() throws {
    switch (failureHere, failedAtDynamic) {
    case (nil, 0): return
    case (nil, _): throw Failure.no("half done: refused here, but not all of it was revoked at Dynamic")
    case (_?, 0): throw Failure.no("half done: revoked at Dynamic, but not refused here")
    case (let code?, _): throw code
    }
  }
}

/// The revocations that arrive here while Dynamic works through its queue.
struct Arrivals {
  /// Dynamic does not say when it is done. This long without another one is taken for the end.
  private static let quiet = Duration.seconds(60)
  private static let interval = Duration.milliseconds(500)

  private let settings: Settings
  private let start: Int64

  /// Counts from now on; `nil` where there is no store that counts.
  init?(_ settings: Settings) {
    guard let start = try? Self.count(settings) else { return nil }
    self.settings = settings
    self.start = start
  }

  var count: Int { (try? Self.count(settings)).map { Int($0 - start) } ?? 0 }

  /// Says how many there are whenever there are more, until none comes any more.
  func show() async throws {
    var (shown, last) = (0, ContinuousClock.now)
    while last.duration(to: .now) < Self.quiet {
      let count = self.count
      if count != shown {
        (shown, last) = (count, .now)
        try Output.line(Self.text(count))
        try Output.finish()
      }
      try await Task.sleep(for: Self.interval)
    }
    try Output.line("none for \(Int(Self.quiet / .seconds(1))) s; \(Self.text(shown))")
  }

  static func text(_ count: Int) -> String {
    count == 1 ? "1 revocation has arrived since" : "\(count) revocations have arrived since"
  }

  private static func count(_ settings: Settings) throws -> Int64 {
    let store = try settings.receiver.openStore(.inspect)
    defer { try? store.close() }
    return try store.tally().lastRevocation
  }
}
