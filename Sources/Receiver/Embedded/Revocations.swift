public import DynamicEvents
internal import Storage

/// A session that is refused, or the JWTs of a user or an environment that were issued until a time.
public struct RevocationEntry: Hashable, Sendable {
  public enum Subject: Hashable, Sendable {
    case session(SessionID, revokedAt: Timestamp)
    /// JWTs with this `sub` and an `iat` up to the time, which is at most a second later than the order.
    case user(String, before: Timestamp)
    /// The same for `environment_id`.
    case environment(String, before: Timestamp)
  }

  public let subject: Subject
  /// To go on behind this entry, also after a restart.
  public let cursor: RevocationCursor
  /// From when on the JWTs have expired by themselves, so that the entry may be forgotten. The subject may come again,
  /// with a later one.
  public let expiresAt: Timestamp

  init(_ entry: FeedEntry) {
    subject =
      switch entry.subject {
      case .session(let session, let revokedAt): .session(session, revokedAt: revokedAt)
      case .cutOff(let cutOff):
        switch cutOff.kind {
        case .user: .user(cutOff.id.uuidText, before: cutOff.before)
        case .environment: .environment(cutOff.id.uuidText, before: cutOff.before)
        }
      }
    cursor = RevocationCursor(cursor: entry.cursor)
    expiresAt = entry.expiresAt
  }
}

/// A place among the revocations. Its text is opaque, and the same as in the feed over HTTP.
public struct RevocationCursor: Hashable, Sendable, LosslessStringConvertible {
  let cursor: FeedCursor

  init(cursor: FeedCursor) {
    self.cursor = cursor
  }

  /// `nil` for what is no cursor's text.
  public init?(_ description: String) {
    guard let cursor = FeedCursor(Array(description.utf8).span) else { return nil }
    self.cursor = cursor
  }

  public var description: String {
    var text: [UInt8] = []
    cursor.append(to: &text)
    return String(decoding: text, as: UTF8.self)
  }
}

/// Everything that is refused, oldest first, and then each new revocation once it is committed. Ends when the receiver
/// stops and when the task is cancelled.
///
/// The iterator throws `ReceiverError.unknownCursor` for a cursor of another history, and `ReceiverError.store` when
/// the store cannot be read. A new iteration may begin behind the last entry then.
public struct Revocations: AsyncSequence, Sendable {
  public typealias Element = RevocationEntry
  public typealias Failure = ReceiverError

  let reader: EmbeddedReader
  let after: RevocationCursor?

  public func makeAsyncIterator() -> Iterator {
    Iterator(reader: reader, after: after?.cursor, commits: reader.commits().makeAsyncIterator())
  }

  public struct Iterator: AsyncIteratorProtocol {
    public typealias Element = RevocationEntry
    public typealias Failure = ReceiverError

    private let reader: EmbeddedReader
    private let after: FeedCursor?
    /// An element whenever something may have been committed since the last one.
    private var commits: AsyncStream<Void>.Iterator
    private var position: Int64
    private var entries: ArraySlice<FeedEntry> = []
    private var isKnown = false
    /// Nothing was there behind the position.
    private var isAtEnd = false

    init(reader: EmbeddedReader, after: FeedCursor?, commits: AsyncStream<Void>.Iterator) {
      self.reader = reader
      self.after = after
      self.commits = commits
      position = after?.seq ?? 0
    }

    public mutating func next() async throws(ReceiverError) -> RevocationEntry? {
      try await next(isolation: nil)
    }

    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(ReceiverError) -> RevocationEntry? {
      while true {
        if let entry = entries.popFirst() { return RevocationEntry(entry) }
        if Task.isCancelled { return nil }
        if isAtEnd, await commits.next(isolation: actor) == nil { return nil }
        let page = try await reader.page(after: position, of: isKnown ? nil : after)
        isKnown = true
        entries = page.entries[...]
        position = page.end
        isAtEnd = page.isLast
      }
    }
  }
}

extension Receiver {
  /// Whether the session is revoked: from the moment on that its delivery was answered, and as one of
  /// `revoked(among:)`.
  public func isRevoked(_ session: SessionID) async throws(ReceiverError) -> Bool {
    try await !embedded.revoked(among: [session]).isEmpty
  }

  /// Those of the sessions that are revoked, all as of one moment. Usually without a read from the disk, and without a
  /// hop over HTTP.
  ///
  /// A JWT has two sessions, `sid` and `originalSid`; refuse it when either is revoked. This does not know of users and
  /// environments that were cut off by order: `revocations(after:)` does. Throws `ReceiverError.store` when the store
  /// cannot tell: refuse then.
  public func revoked(among sessions: [SessionID]) async throws(ReceiverError) -> Set<SessionID> {
    try await embedded.revoked(among: sessions)
  }

  /// Everything that is refused, and then each new revocation, for a program that keeps a set of its own.
  ///
  /// - Parameter cursor: of the last entry that is known; `nil`: from the beginning.
  public func revocations(after cursor: RevocationCursor? = nil) -> Revocations {
    Revocations(reader: embedded, after: cursor)
  }
}
