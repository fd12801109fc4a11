import Foundation
import TestSupport
import Testing

/// A certificate of its own for the names in the recipes, and its key.
struct Certificate {
  static let openssl = "/usr/bin/openssl"

  let chain: String
  let key: String
  /// Both in one file, as HAProxy reads them.
  let both: String

  init(in folder: TemporaryFolder) throws {
    chain = folder.path + "/example.com.pem"
    key = folder.path + "/example.com.key"
    let made = try Program.run(
      Self.openssl,
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
        "/CN=example.com", "-addext", "subjectAltName=DNS:hooks.example.com,DNS:app.example.com", "-keyout", key,
        "-out", chain,
      ])
    try #require(made.status == 0, "\(made.errors)")
    both = try folder.write(
      try String(contentsOfFile: chain, encoding: .utf8) + String(contentsOfFile: key, encoding: .utf8), to: "both.pem")
  }
}
