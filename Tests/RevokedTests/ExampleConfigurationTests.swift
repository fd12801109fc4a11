import Foundation
import HTTPServer
import Receiver
import Testing

@testable import revoked

@Suite(.timeLimit(.minutes(1)))
struct ExampleConfigurationTests {
  /// The example as it stands in the repository.
  private let text: String

  init() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    text = try String(contentsOf: root.appending(path: "Config/revoked.yaml"), encoding: .utf8)
  }

  /// Lines that are a key behind a `#` become keys.
  private var uncommented: String {
    text.replacing(/(?m)^( *)# ([a-z-]+:( .*)?)$/) { "\($0.output.1)\($0.output.2)" }
  }

  @Test func `The example loads as it stands and changes nothing`() throws {
    let settings = try Settings.load(.stub(text))
    #expect(settings.entries.allSatisfy { $0.source == .standard })
  }

  @Test func `Every key is in the example`() {
    let keys = ConfigurationFile(uncommented, name: "revoked.yaml").values.keys
    #expect(Set(keys).isSuperset(of: Settings.keys.map(\.name)))
    let handlers = Set(keys.compactMap { $0.split(separator: ".").last.map(String.init) })
    #expect(handlers.isSuperset(of: HandlerKey.all.map(\.key.name)))
  }

  @Test func `Uncommented, only its placeholders are wrong, and every value is the default`() throws {
    let problems = ConfigurationInputs.stub(uncommented).problems(requiring: [.secrets])
    let expected = [
      "private-token", "secrets", "tls.ca-file", "handlers.backend.secret", "handlers.backend.secret-file",
    ]
    #expect(Set(problems.compactMap { $0.split(separator: " ").first.map(String.init) }) == Set(expected))

    let withoutPlaceholders = uncommented.split(separator: "handlers:")[0]
      .replacing(/(?m)^(private-token|secrets|tls| *ca-file):.*$/, with: "")
    let written = try Settings.load(.stub(String(withoutPlaceholders)))
    let standard = try Settings.load(.stub())
    #expect(written.receiver.limits == standard.receiver.limits)
    #expect(written.receiver.retention == standard.receiver.retention)
    #expect(written.receiver.drainTimeout == standard.receiver.drainTimeout)
    for key in ["listen", "private-listen", "path", "data", "log.level", "log.format"] {
      let shown = { (settings: Settings) in settings.entries.first { $0.key == key }?.shown }
      #expect(shown(written) == shown(standard))
    }
  }
}
