import Foundation

// The fuzzer of libFuzzer compiles the readers itself.
#if canImport(revoked)
  @testable import revoked
#endif

/// What must hold of the configuration file's reader, for any bytes whatsoever: it ends, each problem is one line, and
/// no secret is shown.
enum SettingsCheck {
  static let secret = "dyn_0123456789abcdefghij"

  static func violation(_ input: [UInt8]) -> String? {
    guard let text = String(validating: input, as: UTF8.self) else { return nil }
    var inputs = ConfigurationInputs()
    inputs.file = "revoked.yaml"
    inputs.readFile = { (path) throws(Mismatch) in
      if path == "revoked.yaml" { return text }
      throw Mismatch("\(path) does not exist")
    }
    inputs.isExecutable = { _ in true }
    inputs.interpreterLine = { _ in nil }
    inputs.isReadableByAll = { _ in false }
    let lines: [String]
    do throws(ConfigurationProblems) {
      let settings = try Settings.load(inputs)
      lines = settings.notices.map(\.description)
      for listing in [settings.listing, settings.listingJSON] where listing.contains(secret) {
        guard isElsewhere(settings) else { return "the listing shows a secret" }
      }
    } catch {
      guard !error.problems.isEmpty else { return "refused without a reason" }
      lines = error.problems.map(\.description)
    }
    for line in lines where line.unicodeScalars.contains(where: { "\n\r\u{2028}".unicodeScalars.contains($0) }) {
      return "more than one line: \(line.debugDescription)"
    }
    return nil
  }

  /// The text of the secret may stand in a value that is none.
  private static func isElsewhere(_ settings: Settings) -> Bool {
    settings.entries.contains { entry in
      switch entry.shown {
      case .text(let text): text.contains(secret)
      case .list(let list): list.contains { $0.contains(secret) }
      case .none, .secrets: entry.source.origin.contains(secret) || entry.key.contains(secret)
      }
    }
  }
}

/// What must hold of the file in which `serve` writes its addresses down, for any bytes whatsoever.
enum AddressFileCheck {
  static func violation(_ input: [UInt8]) -> String? {
    let address = ServerAddressFile.privateListener(in: input)
    let object = (try? JSONSerialization.jsonObject(with: Data(input))) as? [String: Any]
    guard let address else { return nil }
    guard object?["private"] is String, object?["public"] is String else { return "read, and is no such file" }
    return "\(address)".isEmpty ? "an address without a text" : nil
  }
}
