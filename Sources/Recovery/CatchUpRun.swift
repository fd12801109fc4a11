internal import DynamicAPI
internal import DynamicEvents
internal import Signature
internal import Storage

/// One run of `CatchUp`: reads the pages, and stores what is new, in small pieces with a rest after each.
struct CatchUpRun {
  /// Items that are read, and events of one transaction, between two rests.
  private static let piece = 32
  /// Failed messages whose newest attempt is looked for, and those that wait to be had as events. Each may be as large
  /// as a page.
  private static let mostWaiting = 2000
  /// Ids that are remembered. What is forgotten is looked at twice, and stored once.
  private static let mostIDs = 500_000

  private(set) var report: CatchUpReport
  private let catchUp: CatchUp
  private let start: Timestamp
  private let includesDelivered: Bool
  private let dryRun: Bool
  private let verifier: SignatureVerifier
  private let progress: (CatchUpProgress) -> Void
  private var pages = 0
  private var pace: Pace
  /// Since when it works without a rest.
  private var workBegan = ContinuousClock.now
  /// The newest attempt of each message.
  private var attempts: [EventKey: (at: Timestamp?, wasDelivered: Bool)] = [:]
  /// Messages whose newest attempt has failed, as far as is known.
  private var failed: [EventKey: WebhookMessage] = [:]
  /// The events that came as messages.
  private var fetched: Set<EventKey> = []
  /// The events of messages that cannot be verified, by key.
  private var unverified: [EventKey: String] = [:]

  init(
    _ catchUp: CatchUp, start: Timestamp, includesDelivered: Bool, isUrgent: Bool, dryRun: Bool,
    progress: @escaping (CatchUpProgress) -> Void
  ) throws(CatchUpError) {
    self.catchUp = catchUp
    self.start = start
    self.includesDelivered = includesDelivered
    self.dryRun = dryRun
    self.progress = progress
    pace = Pace(isUrgent: isUrgent)
    report = CatchUpReport(start: start)
    do throws(OpenSSLFailure) {
      verifier = try SignatureVerifier(secrets: catchUp.secrets)
    } catch {
      throw .hashing(error)
    }
  }

  // MARK: Messages

  mutating func fetchMessages(of webhook: String) async throws(CatchUpError) {
    var order = PageOrder(start: start)
    var list = catchUp.api.messages(of: webhook)
    while let page = try await called({ () async throws(APIError) in try await list.next() }) {
      workBegan = .now
      var times: [Timestamp?] = []
      for attempt in page {
        times.append(attempt.createdAt)
        if attempt.createdAt.map({ $0 >= start }) ?? true { try note(attempt) }
        if times.count % Self.piece == 0 { try await rest() }
      }
      if failed.count >= Self.mostWaiting { try await storeFailed() }
      pageEnded()
      if order.isPast(times) { break }
    }
    workBegan = .now
    try await storeFailed()
    attempts = [:]
  }

  private mutating func note(_ attempt: WebhookMessage) throws(CatchUpError) {
    let key = try hashed { () throws(OpenSSLFailure) in try EventKey(text: attempt.messageID) }
    let isNewest = attempts[key].map { ($0.at ?? start) <= (attempt.createdAt ?? start) } ?? true
    guard isNewest else { return }
    let wasDelivered = attempt.wasDelivered && !includesDelivered
    if attempts.count >= Self.mostIDs { attempts = [:] }
    attempts[key] = (attempt.createdAt, wasDelivered)
    if wasDelivered {
      failed[key] = nil
    } else if failed[key] == nil || attempt.body != nil {
      failed[key] = attempt
    }
  }

  private mutating func storeFailed() async throws(CatchUpError) {
    var events: [IncomingEvent] = []
    for message in failed.values {
      guard let event = try admit(message) else { continue }
      events.append(event)
      report.messages += 1
      if events.count == Self.piece { try await store(&events) }
    }
    failed = [:]
    try await store(&events)
  }

  /// The same door as a delivery's. `nil`: it is not to be stored, or not yet.
  private mutating func admit(_ message: WebhookMessage) throws(CatchUpError) -> IncomingEvent? {
    let id = message.eventID
    let now = catchUp.now()
    let (signature, body) = (message.signature.map { Array($0.utf8) } ?? [], message.body ?? [])
    switch SignedDelivery(signature: signature.span, body: body.span, verifier: verifier) {
    case .forged:
      // Its event may be listed; if not, it is asked for.
      guard let id, unverified.count < Self.mostWaiting else {
        report.unusable += 1
        return nil
      }
      let key = try hashed { () throws(OpenSSLFailure) in try EventKey(text: id) }
      if !fetched.contains(key) { unverified[key] = id }
      return nil
    case .undecodable(let reason):
      let event = try hashed { () throws(OpenSSLFailure) in
        try IncomingEvent(undecodable: body, reason, source: .message, receivedAt: now)
      }
      // The store does not say of a dead letter whether it is there already.
      guard try isKnown(event.key) else { return event }
      report.messages += 1
      report.known += 1
      return nil
    case .genuine(let outline):
      if outline.kind == .ping { return nil }
      if outline.kind == .other, !catchUp.wants(outline.eventName.text(in: body.span)) { return nil }
      let event = try hashed { () throws(OpenSSLFailure) in
        try IncomingEvent(outline, body, source: .message, receivedAt: now)
      }
      // The same event may have come as another webhook's message.
      guard remember(event.key) else { return nil }
      unverified[event.key] = nil
      return event
    }
  }

  private func isKnown(_ key: EventKey) throws(CatchUpError) -> Bool {
    try catchUp.stored { () throws(StoreError) in try !catchUp.store.known([key]).isEmpty }
  }

  // MARK: Events

  mutating func fetchEvents() async throws(CatchUpError) {
    var order = PageOrder(start: start)
    var list = catchUp.api.events(since: start)
    while let page = try await called({ () async throws(APIError) in try await list.next() }) {
      workBegan = .now
      var times: [Timestamp?] = []
      var events: [IncomingEvent] = []
      for listed in page {
        times.append(listed.timestamp)
        if listed.timestamp.map({ $0 >= start }) ?? true, let event = try admit(listed) {
          events.append(event)
          report.events += 1
        }
        if times.count % Self.piece == 0 { try await store(&events) }
      }
      try await store(&events)
      pageEnded()
      if order.isPast(times) { break }
    }
  }

  /// The messages that could not be verified, and whose events were not listed either.
  mutating func fetchUnverified() async throws(CatchUpError) {
    for id in unverified.values {
      let event: ListedEvent
      do throws(APIError) {
        event = try await catchUp.api.event(id)
      } catch {
        // Not known, or an id that the API does not take for one.
        guard case .rejected(let status, _) = error, [400, 404, 422].contains(status) else { throw .api(error) }
        report.unusable += 1
        continue
      }
      workBegan = .now
      guard event.id == id, let incoming = try admit(event) else { continue }
      report.events += 1
      var events = [incoming]
      try await store(&events)
    }
    unverified = [:]
    pageEnded()
  }

  /// TLS says that Dynamic said it, and nothing else does: only a session's revocation in our environment is taken,
  /// whole.
  private mutating func admit(_ event: ListedEvent) throws(CatchUpError) -> IncomingEvent? {
    guard WebhookChoice.events.contains(event.name),
      event.environment.map({ $0.lowercased() == catchUp.api.access.environment }) ?? true
    else { return nil }
    let body = event.body
    guard let outline = try? EventOutline(body.span), case .sessionRevoked(_, let by) = outline.kind, by != .operator
    else {
      report.unusable += 1
      return nil
    }
    let now = catchUp.now()
    let incoming = try hashed { () throws(OpenSSLFailure) in
      try IncomingEvent(outline, body, source: .event, receivedAt: now)
    }
    unverified[incoming.key] = nil
    return remember(incoming.key) ? incoming : nil
  }

  // MARK: Both

  /// Whether the event was not fetched before in this run.
  private mutating func remember(_ key: EventKey) -> Bool {
    if fetched.count >= Self.mostIDs { fetched = [] }
    return fetched.insert(key).inserted
  }

  /// Stores a piece, and rests.
  private mutating func store(_ piece: inout [IncomingEvent]) async throws(CatchUpError) {
    defer { piece = [] }
    if dryRun {
      let known = try catchUp.stored { () throws(StoreError) in try catchUp.store.known(piece.map(\.key)).count }
      report.known += known
      report.stored += piece.count - known
    } else if !piece.isEmpty {
      let outcomes: [AppendOutcome]
      do throws(StoreError) {
        outcomes = try await catchUp.append(piece)
      } catch {
        throw .store(error)
      }
      let known = outcomes.count { $0 == .duplicate }
      report.known += known
      report.stored += outcomes.count - known
    }
    try await rest()
  }

  private mutating func rest() async throws(CatchUpError) {
    let (begin, busy) = (ContinuousClock.now, catchUp.busy())
    guard (try? await Task.sleep(for: pace.rest(after: workBegan.duration(to: begin)))) != nil else {
      throw .api(.cancelled)
    }
    workBegan = .now
    pace.rested(begin.duration(to: workBegan), busy: catchUp.busy() - busy)
  }

  private mutating func pageEnded() {
    pages += 1
    progress(CatchUpProgress(pages: pages, report: report))
  }

  private func called<Value>(
    _ body: () async throws(APIError) -> Value
  ) async throws(CatchUpError) -> Value {
    do throws(APIError) { return try await body() } catch { throw .api(error) }
  }

  private func hashed<Value>(_ body: () throws(OpenSSLFailure) -> Value) throws(CatchUpError) -> Value {
    do throws(OpenSSLFailure) { return try body() } catch { throw .hashing(error) }
  }
}

extension EventKey {
  /// Stands for any text.
  fileprivate init(text: String) throws(OpenSSLFailure) {
    let bytes = Array(text.utf8)
    if let key = try EventKey(eventId: bytes.span) { self = key } else { self = try EventKey(ofBody: bytes.span) }
  }
}
