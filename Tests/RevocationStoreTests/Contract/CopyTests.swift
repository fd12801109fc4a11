#if PostgreSQL
  import DynamicEvents
  import PostgreSQLStore
  import Storage
  import TestSupport
  import Testing

  @testable import RevocationStore

  /// A store's whole content, taken from one engine to the other.
  @Suite(.timeLimit(.minutes(2))) struct CopyTests {
    private func reading(_ place: StorePlace) throws -> StoreModel {
      let store = try place.open(retention: .milliseconds(StoreModel.retention))
      defer { try? store.close() }
      return try StoreModel(
        reading: store, store.makeLookUps().awaited, handlers: ModelRun.handlers, sessions: ModelRun.sessions)
    }

    @Test(arguments: Engine.allCases, UInt64(1)...2)
    func `the other engine holds the same, and goes on from there`(_ engine: Engine, _ seed: UInt64) throws {
      var run = try ModelRun(seed: seed, engine)
      for _ in 0..<100 { _ = try run.step() }
      let source = try run.finished()
      let target = try (engine == .embedded ? Engine.postgreSQL : .embedded).place()
      try source.copied(to: target)
      #expect(try reading(target) == run.model)
      let store = try target.open(retention: .milliseconds(StoreModel.retention))
      defer { try? store.close() }
      let event = try IncomingEvent.revoking(77)
      #expect(try store.append([event]) == [.accepted])
      #expect(try store.refuses(77))
      #expect(try store.tally().lastEvent == run.model.lastEvent + 1)
      #expect(try store.findFaults { _, _, _ in }.isEmpty)
    }

    @Test func `a cursor that the old store gave is known by the new one`() throws {
      let (source, target) = try (Engine.embedded.place(), Engine.postgreSQL.place())
      let store = try source.open()
      _ = try store.append([.revoking(1), .revoking(2)])
      let cursor = try #require(try store.feed(after: 0, limit: 1, at: time(1)).entries.first).cursor
      try store.close()
      try source.copied(to: target)
      let new = try target.open()
      #expect(new.knows(cursor))
      #expect(try new.feed(after: cursor.seq, limit: 10, at: time(1)).entries.map(\.session) == [session(2)])
      #expect(new.createdAt == store.createdAt)
    }

    @Test func `a store that is used is not copied, and one that has something is not written over`() throws {
      let (source, target) = try (Engine.embedded.place(), Engine.postgreSQL.place())
      let store = try source.open()
      _ = try store.append([.revoking(1)])
      #expect(throws: StoreError.self) { try source.copied(to: target) }
      try store.close()
      try source.copied(to: target)
      #expect(throws: StoreError.self) { try source.copied(to: target) }
      let server = try target.open()
      let other = try Engine.embedded.place()
      let error = #expect(throws: StoreError.self) { try target.copied(to: other) }
      guard case .locked = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(try server.refuses(1))
    }
  }

  extension StorePlace {
    /// As `store copy` does it.
    fileprivate func copied(to target: StorePlace) throws {
      func load(_ store: some StoreCopying & Store) throws {
        try store.load { take in try self.export(take) }
        try store.close()
      }
      switch target {
      case .folder(let folder):
        try RevocationStore(data: folder.data, mode: .serve).close()
        try load(RevocationStore(data: folder.data, mode: .repair))
      case .database(let url):
        _ = try PostgreSQLStore.migrate(url: url)
        try load(PostgreSQLStore(url: url, mode: .amend))
      }
    }

    private func export(_ take: CopiedRows.Taking) throws -> Tally {
      switch self {
      case .folder(let folder):
        let store = try RevocationStore(data: folder.data, mode: .repair)
        defer { try? store.close() }
        return try store.export(take)
      case .database(let url): return try PostgreSQLStore(url: url, mode: .inspect).export(take)
      }
    }
  }
#endif
