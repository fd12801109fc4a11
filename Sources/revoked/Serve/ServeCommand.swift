internal import ArgumentParser
internal import Dispatch
internal import Foundation
internal import HTTPServer
internal import Handlers
internal import Logging
internal import Receiver
internal import Storage

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Runs the receiver in the foreground.",
    discussion: """
      Stops on SIGTERM or SIGINT after finishing what is in flight (timeouts.drain); a second signal stops at once. \
      What was answered 200 is on disk in either case. SIGHUP reads the secrets, the handlers and the log level again; \
      a configuration that is broken by then changes nothing.
      """)

  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let inherited: InheritedSockets
    do throws(InheritedSockets.Unusable) {
      inherited = try InheritedSockets.take()
    } catch {
      throw Failure.configuration(error)
    }
    Allocator.bound()
    // A reload reads the files again, and these as they are.
    let inputs = options.inputs
    var settings = try options.load(inputs, requiring: [.secrets])
    ConfigurationInputs.wipeVariables()
    if let descriptor = inherited.publicListener { settings.receiver.listen = .inherited(descriptor: descriptor) }
    if let descriptor = inherited.privateListener {
      settings.receiver.privateListen = .inherited(descriptor: descriptor)
    }
    let sink = LogSink(descriptor: STDERR_FILENO, format: settings.logFormat, level: settings.logLevel)
    let logger = Logger(label: "revoked") { _ in StructuredLogHandler(sink) }
    for notice in settings.notices { logger.warning("\(notice)") }
    settings.receiver.makesStore = settings.newStore == .make
    let signals = ServeSignals { name in
      logger.warning("stopping at once: a second signal", metadata: ["signal": "\(name)"])
      // For a moment: a log that is not read must not hold back the end.
      sink.flush()
    }
    bound(&settings.receiver.limits.connections, beside: settings.handlers, logger)
    bound(&settings.handlers, besideConnections: settings.receiver.limits.connections, logger)
    let receiver: Receiver
    do throws(ReceiverError) {
      receiver = try Receiver(
        settings.receiver, handlers: settings.handlers.map { $0.registration(settings, logger, sink) }, logger: logger)
    } catch {
      switch error {
      case .configuration: throw Failure.configuration(error)
      case .unreachable: throw Failure.unreachable(error.description)
      case .store, .listener, .unknownCursor: throw Failure.io(error)
      }
    }
    receiver.start()
    let addressFile = receiver.hasFolder ? ServerAddressFile(settings.receiver.data) : nil
    do throws(SystemFailure) {
      if let privateAddress = receiver.privateAddress {
        try addressFile?.write(public: receiver.address, private: privateAddress)
      }
    } catch {
      logger.warning(
        "the addresses were not written down; healthcheck looks for private-listen", metadata: ["error": "\(error)"])
    }
    // Whoever waits for these lines may ask by the file at once.
    announce(receiver, settings, logger)
    ServiceNotification.send("READY=1")
    let environment = ProcessInfo.processInfo.environment
    let watchdog = Watchdog(receiver, microseconds: environment["WATCHDOG_USEC"], pid: environment["WATCHDOG_PID"])
    defer { withExtendedLifetime(watchdog) {} }

    // Beside this loop: a file that hangs must not hold up a stop. Reloads that come faster than they are done count
    // once.
    let (reloads, asked) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let running = settings
    let reloading = Task {
      for await _ in reloads { await reload(receiver, inputs, running, sink, logger) }
    }
    for await request in signals.requests {
      if case .stop(let name) = request {
        logger.notice("stopping: answering what is in flight", metadata: ["signal": "\(name)"])
        break
      }
      asked.yield()
    }
    reloading.cancel()
    ServiceNotification.send("STOPPING=1")
    await receiver.stop()
    addressFile?.remove()
    logger.notice("stopped")
    sink.flush()
  }

  /// - Parameter running: what the process was started with.
  private func reload(
    _ receiver: Receiver, _ inputs: ConfigurationInputs, _ running: Settings, _ sink: LogSink, _ logger: Logger
  ) async {
    // Read by systemd to tell this reload from an earlier one.
    ServiceNotification.send("RELOADING=1\nMONOTONIC_USEC=\(DispatchTime.now().uptimeNanoseconds / 1000)")
    let loaded = await Self.load(inputs)
    // The server is stopping meanwhile.
    if Task.isCancelled { return }
    defer { ServiceNotification.send("READY=1") }
    var settings: Settings
    do throws(ConfigurationProblems) {
      settings = try loaded.get()
    } catch {
      for problem in error.problems { logger.error("not reloaded: \(problem.description)") }
      return
    }
    bound(&settings.handlers, besideConnections: running.receiver.limits.connections, logger)
    // First, because only the handlers can still fail.
    do throws(ReceiverError) {
      try await receiver.replaceHandlers(settings.handlers.map { $0.registration(settings, logger, sink) })
    } catch {
      logger.error("not reloaded: \(error)")
      return
    }
    receiver.replaceSecrets(settings.receiver.secrets)
    if let token = settings.dynamic.token { receiver.replaceAPIToken(token) }
    sink.level = settings.logLevel
    logger.notice(
      "reloaded the secrets, the handlers and the log level",
      metadata: [
        "secrets": .stringConvertible(settings.receiver.secrets.count),
        "handlers": .stringConvertible(settings.handlers.count),
      ])
    for notice in settings.notices { logger.warning("\(notice)") }
    let keys = settings.keysThatNeedRestart(since: running)
    if !keys.isEmpty {
      logger.warning("changed, but not before a restart", metadata: ["keys": "\(keys.joined(separator: ", "))"])
    }
  }

  /// Reads files, which may block: on a thread of its own.
  private static func load(_ inputs: ConfigurationInputs) async -> Result<Settings, ConfigurationProblems> {
    await withCheckedContinuation { continuation in
      DispatchQueue(label: "revoked.reload").async {
        do throws(ConfigurationProblems) {
          continuation.resume(returning: .success(try Settings.load(inputs, requiring: [.secrets])))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
  }

  /// Connections beyond the limit on open files would starve the other listener, the handlers and the store.
  private func bound(_ connections: inout Int, beside handlers: [HandlerDefinition], _ logger: Logger) {
    let possible = DescriptorShares.ofThisProcess().connections(beside: handlers)
    guard connections > possible else { return }
    logger.warning(
      "limits.connections is lowered to what the limit on open files allows",
      metadata: ["from": .stringConvertible(connections), "to": .stringConvertible(possible)])
    connections = possible
  }

  /// The same for attempts.
  private func bound(_ handlers: inout [HandlerDefinition], besideConnections connections: Int, _ logger: Logger) {
    let possible = DescriptorShares.ofThisProcess().concurrency(of: handlers, besideConnections: connections)
    for (index, possible) in possible.enumerated() where handlers[index].concurrency > possible {
      logger.warning(
        "a handler's concurrency is lowered to what the limit on open files allows",
        metadata: [
          "handler": "\(handlers[index].name)", "from": .stringConvertible(handlers[index].concurrency),
          "to": .stringConvertible(possible),
        ])
      handlers[index].concurrency = possible
    }
  }

  /// Whatever the log level: people and scripts look for these lines to learn the addresses.
  private func announce(_ receiver: Receiver, _ settings: Settings, _ logger: Logger) {
    var announcer = logger
    announcer.logLevel = .trace
    for address in receiver.addresses {
      announcer.notice("listening public=\(address.url) path=\(settings.receiver.path)")
    }
    for address in receiver.privateAddresses {
      announcer.notice(
        "listening private=\(address.url) token=\(settings.receiver.privateToken == nil ? "none" : "required")")
    }
  }
}
