internal import ArgumentParser
internal import DynamicEvents
internal import Foundation
internal import Outgoing
internal import Receiver

struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Shows how the running server is. Exit 0: ready; 1: not; 69: no server.",
    discussion: """
      Finds the server as `healthcheck` does, and sends it the private token that is configured here.
      """)

  @Flag(help: "For machines: one line of JSON.")
  var json = false

  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let settings = try options.load()
    let address = settings.runningPrivateListener
    guard var request = settings.request(.get, "/v1/status") else {
      throw Failure.unreachable("\(address) is a port that the kernel picks: give the real address as private-listen")
    }
    request.limits.time = .seconds(10)
    // A name is at most 64 bytes or so, and there may be thousands of handlers.
    request.limits.bodyBytes = 1 << 20
    let response: OutgoingResponse
    do throws(OutgoingError) {
      response = try await HTTPClient.shared.response(to: request)
    } catch {
      throw Failure.unreachable("no server at \(address): \(error)")
    }
    switch response.status {
    case 200: break
    case 401: throw Failure.no("the server wants another private-token than the one that is configured here")
    default: throw Failure.no("\(address) answered \(response.status), which is no answer of this command's server")
    }
    guard response.cut == nil, let status = try? JSONDecoder().decode(ServiceStatus.self, from: Data(response.body))
    else {
      throw Failure.no("\(address) answered what is no status of a server")
    }
    try Output.line(json ? JSON.line(status) : StatusText(status, at: Timestamp(Date())).text)
    if !status.ready { throw Failure.no }
  }
}

/// A status for people: a screen at most, unless there are many handlers.
struct StatusText {
  let text: String

  init(_ status: ServiceStatus, at now: Timestamp) {
    var lines = ["revoked \(status.version.visible()): \(status.ready ? "ready" : "not ready")"]
    func add(_ name: String, _ value: String) { lines.append(name.column(15) + value.visible()) }
    func ago(_ time: String) -> String {
      Timestamp(time).map { "\(time), \(Self.duration(now.milliseconds - $0.milliseconds)) ago" } ?? time
    }
    for reason in status.reasons { add("because", reason) }
    let unheard = "no delivery yet; what `revoked send` makes does not count"
    add("from Dynamic", status.lastSigned.map { "last delivery \(ago($0))" } ?? unheard)
    add("refused", status.sessions.map { "\($0) session\($0 == 1 ? "" : "s")" } ?? "not known")
    add("stored", status.events.map { "\($0) event\($0 == 1 ? "" : "s")" } ?? "not known")
    for handler in status.handlers ?? [] {
      var value = "\(handler.handler): \(handler.pending) pending, \(handler.dead) dead"
      if let seconds = handler.oldestPendingSeconds {
        value += ", the oldest for \(Self.duration(Int64(min(max(seconds, 0), 1e12)) * 1000))"
      }
      if let leader = handler.leader { value += ", \(Self.leader(leader))" }
      add("handler", value)
    }
    add("store", status.store.path)
    add("", "made \(ago(status.store.createdAt))")
    if let bytes = status.store.bytes, let free = status.store.freeBytes {
      add("", "\(Self.size(bytes)), \(Self.size(free)) free on the disk")
    }
    if let waits = status.store.waitsForStandby {
      let away = status.store.standbyIsAway == true ? ", WHICH IS AWAY" : ""
      add("", waits ? "commits wait for a synchronous standby\(away)" : "no synchronous standby")
    }
    add("unclean starts", "\(status.uncleanStarts)")
    add("webhook", status.webhook.map { Self.webhook($0, ago) } ?? "not looked after: no token for Dynamic's API")
    text = lines.joined(separator: "\n")
  }

  private static func leader(_ leader: ServiceStatus.Leader) -> String {
    guard let node = leader.node else { return "NO LEADER" }
    if leader.here { return "led here" }
    let renewed = leader.renewedSeconds.map { ", renewed \(duration(Int64(min(max($0, 0), 1e12) * 1000))) ago" } ?? ""
    return "led by \(node)\(renewed)"
  }

  private static func webhook(_ webhook: ServiceStatus.Webhook, _ ago: (String) -> String) -> String {
    var parts = [webhook.enabled.map { $0 ? "enabled" : "NOT ENABLED" } ?? "not known"]
    if let since = webhook.since { parts.append("since \(since)") }
    if let failed = webhook.failedMessages { parts.append("\(failed) failed message\(failed == 1 ? "" : "s")") }
    if let checked = webhook.checkedAt { parts.append("checked \(ago(checked))") }
    if let problem = webhook.problem { parts.append(problem) }
    return parts.joined(separator: ", ")
  }

  /// In the largest unit of which there are two at least.
  static func duration(_ milliseconds: Int64) -> String {
    let seconds = max(0, milliseconds / 1000)
    for (unit, name) in [(86_400, "d"), (3600, "h"), (60, "min")] as [(Int64, String)] where seconds >= 2 * unit {
      return "\(seconds / unit) \(name)"
    }
    return "\(seconds) s"
  }

  static func size(_ bytes: Int) -> String {
    for (unit, name) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] where bytes >= 10 * unit {
      return "\(bytes / unit) \(name)"
    }
    return "\(bytes) bytes"
  }
}

struct HealthcheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "healthcheck", abstract: "Asks the running server's /readyz. Exit 0: ready; 1: not.",
    discussion: """
      Finds the server by --private-listen, else by serve.json, which it wrote into its data folder, else by \
      private-listen as it is configured. Made for a container's HEALTHCHECK.
      """)

  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let address = try options.load().runningPrivateListener
    guard var request = OutgoingRequest(.get, "/readyz", at: address) else {
      try Output.line("\(address) is a port that the kernel picks: give the real address as private-listen")
      throw Failure.no
    }
    // Readiness itself gives up after 2 s.
    request.limits.time = .seconds(4)
    do {
      let response = try await HTTPClient.shared.response(to: request)
      try Output.line(String(decoding: response.body, as: UTF8.self).visible(keepingLines: true))
      if response.status != 200 { throw Failure.no }
    } catch let error as OutgoingError {
      try Output.line("\(address) is not reachable: \(error)")
      throw Failure.no
    }
  }
}
