import Testing

@testable import revoked

@Suite("Fuzzing the configuration's readers", .timeLimit(.minutes(5)))
struct SettingsFuzzTests {
  static let mutator = Mutator(
    tokens: (Settings.keys.map { "\($0.name): " } + [
      "handlers:\n  a:\n    ", "kind: exec\n", "kind: forward\n", "kind: log\n", "command: [sh, -c, x]\n",
      "secret-file: s\n", "url: https://a.example/x?token=\(SettingsCheck.secret)\n",
      "secret: \(SettingsCheck.secret)\n",
      "secrets: \(SettingsCheck.secret)\n", "private-token: '\(SettingsCheck.secret)'\n", "&a ", "*a", "<<: ", "? ",
      "- ",
      "[", "]", "{", "}", ": ", "\n", "  ", "\t", "#", "|\n", ">\n", "'", "\"", "\\", "!!str ", "!!binary ",
      "%YAML 1.1\n",
      "---\n", "...\n", "~", "null", "\u{feff}", "\u{0}", "\u{2028}", "\u{202e}", "0x10", "1e3", "10s", "30d", "256KiB",
    ]).map { Array($0.utf8) })

  @Test
  func `Whatever a configuration file holds, it is read to its end, each problem is a line, and no secret is shown`() {
    let files = [
      "secrets: [\(SettingsCheck.secret), another-secret-of-mine]\nlisten: 127.0.0.1:8080\nlimits:\n  body: 256KiB\n",
      "handlers:\n  audit: {kind: exec, command: [logger, -t, x], timeout: 5s}\n  log: {kind: log, events: [user.*]}\n",
      "handlers.f: {kind: forward, url: 'https://a.example/x?t=1', secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}\n",
      "{\"data\": \"./data\", \"retention\": \"30d\", \"log.level\": \"debug\"}", "a: &a [x]\nb: *a\n", "",
    ].map { Array($0.utf8) }
    FuzzRun.inputs(1_000) { random in
      var file = random.pick(files)
      for _ in 0..<random.below(4) { Self.mutator.mutate(&file, &random) }
      return (file, SettingsCheck.violation(file))
    }
  }

  @Test func `A damaged serve.json is an address or none`() {
    let mutator = Mutator(
      tokens: [
        "\"pid\":", "\"public\":", "\"private\":", "\"127.0.0.1:1\"", "\"unix:/x\"", "\"[::1]:1\"", "\"*:0\"", "\"\"",
        "1e99",
        "null", "{", "}", ",", "\"", "\\", "\\u0000",
      ].map { Array($0.utf8) })
    let files = [
      #"{"pid":17,"private":"127.0.0.1:8081","public":"127.0.0.1:8080"}"#,
      #"{"pid":17,"private":"unix:/run/revoked/private.sock","public":"[::]:8080"}"#,
    ].map { Array($0.utf8) }
    FuzzRun.inputs(1_000) { random in
      var file = random.pick(files)
      if !random.oneIn(8) { mutator.mutate(&file, &random) }
      return (file, AddressFileCheck.violation(file))
    }
  }
}
