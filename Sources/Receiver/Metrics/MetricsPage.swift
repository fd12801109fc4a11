internal import Dispatch
internal import DynamicEvents
internal import HTTPMessage
internal import HTTPServer
internal import Handlers
internal import Logging
internal import Storage
internal import Synchronization

/// `GET /metrics`. Made away from the loop: it asks the store.
final class MetricsPage: Sendable {
  private let context: ResponderContext
  private let dispatcher: Dispatcher
  private let readiness: Readiness
  private let listeners: [(name: String, counters: ServerCounters)]
  private let failures: ThrottledLog
  private let queue = DispatchQueue(label: "revoked.metrics")

  init(
    context: ResponderContext, dispatcher: Dispatcher, readiness: Readiness, publicCounters: ServerCounters,
    privateCounters: ServerCounters
  ) {
    self.context = context
    self.dispatcher = dispatcher
    self.readiness = readiness
    listeners = [("public", publicCounters), ("private", privateCounters)]
    failures = ThrottledLog(
      context.logger, over: "the store can be read again: its metrics are back", pause: .seconds(300))
  }

  func render(_ format: PrometheusText.Format, _ answer: @escaping @Sendable (Response) -> Void) {
    readiness.ask { [self] reasons in
      queue.async { answer(Self.response(format, self.text(format, isReady: reasons.isEmpty))) }
    }
  }

  private static func response(_ format: PrometheusText.Format, _ text: String) -> Response {
    switch format {
    case .prometheus:
      Response(
        .ok, contentType: "text/plain; version=0.0.4; charset=utf-8", fields: [vary], body: text)
    case .openMetrics:
      Response(
        .ok, contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8", fields: [vary], body: text)
    }
  }

  private static let vary: (StaticString, String) = ("Vary", "Accept, Accept-Encoding")

  private func text(_ format: PrometheusText.Format, isReady: Bool) -> String {
    var page = PrometheusText(format)
    page.begin("revoked_build_info", .gauge, "The running release; always 1.")
    page.sample("revoked_build_info", [("version", Receiver.version)], 1)
    page.only("revoked_ready", .gauge, "Whether /readyz says that the server is ready: 1 or 0.", isReady ? 1 : 0)
    addWebhooks(&page)
    addLookUps(&page)
    addConnections(&page)
    addAttempts(&page)
    addStore(&page)
    if let dynamic = context.dynamic { addDynamic(&page, dynamic) }
    ProcessMetrics.add(to: &page)
    page.end()
    return page.text
  }

  private func addWebhooks(_ page: inout PrometheusText) {
    let metrics = context.metrics
    page.begin(
      "revoked_webhooks_total", .counter,
      "Signed deliveries, and pings whose signature is missing or wrong (unverified), by event and answer.")
    for event in EventLabel.allCases {
      for outcome in OutcomeLabel.allCases {
        let count = metrics.webhookCount(event, outcome)
        // Most of the combinations cannot occur. The two that matter are there from the start, so that rates work.
        guard count > 0 || (outcome == .accepted && event.isRevocation) else { continue }
        page.sample("revoked_webhooks_total", [("event", event.rawValue), ("outcome", outcome.rawValue)], count)
      }
    }
    page.begin("revoked_signature_failures_total", .counter, "Deliveries refused with 401.")
    page.sample("revoked_signature_failures_total", [], metrics.signatureFailures.load(ordering: .relaxed))
    page.begin(
      "revoked_refused_deliveries_total", .counter,
      "Requests with a signature that were refused for their form, before it was looked at, by status code.")
    for (code, count) in context.refusals.counts {
      page.sample("revoked_refused_deliveries_total", [("code", "\(code)")], count)
    }
    page.begin(
      "revoked_implausible_timestamps_total", .counter,
      "Events whose timestamp cannot be true; they are left out of the latency.")
    page.sample(
      "revoked_implausible_timestamps_total", [], metrics.implausibleTimestamps.load(ordering: .relaxed))
    page.histogram("revoked_commit_seconds", "Time of one commit, fsync included.", metrics.commitSeconds.snapshot)
    page.histogram("revoked_commit_batch_size", "Deliveries in one commit.", metrics.commitBatchSize.snapshot)
    page.histogram(
      "revoked_revocation_latency_seconds", "From the event's timestamp to its commit.",
      metrics.revocationLatencySeconds.snapshot)
    page.begin("revoked_last_signed_event_timestamp_seconds", .gauge, "When Dynamic was last heard of; 0: never.")
    page.sample(
      "revoked_last_signed_event_timestamp_seconds", [], Double(context.lastSigned?.milliseconds ?? 0) / 1000)
  }

  private func addLookUps(_ page: inout PrometheusText) {
    let metrics = context.metrics
    page.begin("revoked_lookups_total", .counter, "Look-ups by result.")
    for result in LookUpLabel.allCases {
      page.sample("revoked_lookups_total", [("result", result.rawValue)], metrics.lookUps[result])
    }
    page.begin("revoked_forward_auth_refused_total", .counter, "Forward-auth requests refused, by reason.")
    for reason in RefusalReason.allCases {
      page.sample(
        "revoked_forward_auth_refused_total", [("reason", reason.rawValue)], metrics.forwardAuthRefusals[reason])
    }
    page.histogram(
      "revoked_lookup_seconds", "Time of making the answer to a look-up or of forward-auth, once its request is there.",
      metrics.lookUpSeconds.snapshot)
  }

  private func addDynamic(_ page: inout PrometheusText, _ dynamic: DynamicHealth) {
    if let webhook = dynamic.webhook {
      page.begin(
        "revoked_webhook_enabled", .gauge,
        "Whether our webhook at Dynamic is there, enabled, with both events, and on our URL; absent before it was "
          + "looked at."
      )
      page.sample("revoked_webhook_enabled", [], webhook.problem == nil ? 1 : 0)
    }
    page.begin(
      "revoked_dynamic_checked_timestamp_seconds", .gauge,
      "When the webhook was looked after last, and everything it had missed was fetched; 0: never.")
    page.sample(
      "revoked_dynamic_checked_timestamp_seconds", [], Double(dynamic.checkedAt?.milliseconds ?? 0) / 1000)
    page.begin("revoked_dynamic_errors_total", .counter, "Checks that Dynamic's API did not let come to their end.")
    page.sample("revoked_dynamic_errors_total", [], dynamic.errors.load(ordering: .relaxed))
    page.begin(
      "revoked_recovered_events_total", .counter, "Events fetched from Dynamic's API that were not known, by source.")
    for source in RecoveredLabel.allCases {
      page.sample("revoked_recovered_events_total", [("source", source.rawValue)], dynamic.recovered[source])
    }
  }

  private func addConnections(_ page: inout PrometheusText) {
    page.begin("revoked_http_requests_total", .counter, "Answers by listener and status code.")
    for (name, counters) in listeners {
      for (code, count) in counters.answersByStatus {
        page.sample("revoked_http_requests_total", [("listener", name), ("code", "\(code)")], count)
      }
    }
    page.begin("revoked_connections", .gauge, "Open connections.")
    for (name, counters) in listeners {
      page.sample("revoked_connections", [("listener", name)], counters.connections.load(ordering: .relaxed))
    }
    page.begin("revoked_accepted_connections_total", .counter, "Connections taken; a proxy that keeps them needs few.")
    for (name, counters) in listeners {
      page.sample(
        "revoked_accepted_connections_total", [("listener", name)], counters.accepted.load(ordering: .relaxed))
    }
  }

  private func addAttempts(_ page: inout PrometheusText) {
    page.begin("revoked_deliveries_total", .counter, "Attempts by handler and outcome.")
    for counters in dispatcher.counters {
      for (outcome, count) in [
        ("delivered", counters.delivered.load(ordering: .relaxed)),
        ("failed", counters.failed.load(ordering: .relaxed)),
        ("dead", counters.dead.load(ordering: .relaxed)),
      ] {
        page.sample("revoked_deliveries_total", [("handler", counters.name), ("outcome", outcome)], count)
      }
    }
    page.only(
      "revoked_unclean_starts_total", .counter, "Starts that followed an end without a stop, since the store was made.",
      dispatcher.uncleanStarts)
  }

  /// While the store cannot be read, what only it knows is left out.
  private func addStore(_ page: inout PrometheusText) {
    let store = context.store
    page.only(
      "revoked_store_created_timestamp_seconds", .gauge,
      "When the store was made: no session revoked before is known.", Double(store.createdAt.milliseconds) / 1000)
    if let sizes = store.sizes {
      page.begin("revoked_store_bytes", .gauge, "Size of the store's files; log is the write-ahead log.")
      page.sample("revoked_store_bytes", [("file", "database")], sizes.database)
      page.sample("revoked_store_bytes", [("file", "log")], sizes.log)
      page.only("revoked_store_free_bytes", .gauge, "Left on the store's disk.", sizes.free)
    }
    if let server = store.server {
      if let age = server.proofAge {
        page.only(
          "revoked_store_proof_age_seconds", .gauge,
          "Since this node last proved that its database is the one that all write to; beyond 3 look-ups are 503.",
          age / .seconds(1))
      }
      if let waits = server.waitsForStandby {
        page.only(
          "revoked_store_waits_for_standby", .gauge, "1: each commit waits for a second server of the database.",
          waits ? 1 : 0)
      }
    }
    do throws(StoreError) {
      try addCounts(&page, store.tally(), store.backlogs(), oldest: store.oldestPending())
      failures.worked()
    } catch {
      failures.failed("the store cannot be read; its metrics are left out", ["error": "\(error)"])
    }
  }

  private func addCounts(
    _ page: inout PrometheusText, _ tally: Tally, _ backlogs: [String: Backlog], oldest: [String: Timestamp]
  ) {
    page.only("revoked_sessions_revoked", .gauge, "Sessions that are refused.", tally.revocations)
    let sorted = backlogs.sorted { $0.key < $1.key }
    page.begin("revoked_deliveries_pending", .gauge, "Events that a handler has not finished.")
    for (name, backlog) in sorted { page.sample("revoked_deliveries_pending", [("handler", name)], backlog.pending) }
    page.begin(
      "revoked_oldest_pending_seconds", .gauge,
      "Since the oldest event was received that a handler has not finished; 0: it has finished all.")
    let now = context.now()
    for (name, _) in sorted {
      page.sample(
        "revoked_oldest_pending_seconds", [("handler", name)], oldest[name].map { now.seconds(since: $0) } ?? 0)
    }
    page.begin(
      "revoked_dead_letters", .gauge,
      "Events given up, by handler; without a handler: deliveries that cannot be decoded.")
    for (name, backlog) in sorted { page.sample("revoked_dead_letters", [("handler", name)], backlog.dead) }
    page.sample("revoked_dead_letters", [("handler", "")], tally.undecodable)
  }
}

extension EventLabel {
  fileprivate var isRevocation: Bool { self == .sessionRevoked || self == .adminSessionRevoked }
}
