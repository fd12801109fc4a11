import Foundation
import HTTPServer
import TestSupport

extension Recipe {
  private static func variable(_ name: String) -> String { ProcessInfo.processInfo.environment[name] ?? "" }

  static let traefik = Recipe(
    testDescription: "Traefik", program: variable("REVOKED_TRAEFIK"),
    files: ["traefik/dynamic.yaml", "traefik/traefik.yaml"],
    arguments: { files, _ in ["--configfile=\(files[1])"] },
    changes: { place in
      var changes: [Change] = [
        (#"address: ":443""#, #"address: "127.0.0.1:\#(place.port)""#),
        ("/etc/traefik/dynamic.yaml", place.folder.path + "/dynamic.yaml"),
        ("/etc/ssl/example.com.pem", place.certificate.chain), ("/etc/ssl/example.com.key", place.certificate.key),
        ("127.0.0.1:8080", "\(place.webhook)"), ("127.0.0.1:8081", "\(place.lookups)"),
        ("127.0.0.1:3000", "\(place.application)"),
      ]
      if let token = place.token {
        changes += [
          ("middlewares: [revoked]", "middlewares: [revoked-token, revoked, revoked-token-away]"),
          ("X-Revoked-Token: the token", "X-Revoked-Token: \(token)"),
        ]
      }
      return changes
    })

  static let envoy = Recipe(
    testDescription: "Envoy", program: variable("REVOKED_ENVOY"), files: ["envoy/envoy.yaml"],
    arguments: { files, _ in ["--use-dynamic-base-id", "--concurrency", "1", "-c", files[0]] },
    changes: { place in
      var changes: [Change] = [
        ("address: 0.0.0.0, port_value: 443", "address: 127.0.0.1, port_value: \(place.port)"),
        ("/etc/ssl/example.com.pem", place.certificate.chain), ("/etc/ssl/example.com.key", place.certificate.key),
        ("port_value: 8080", "port_value: \(place.webhook.port)"),
        ("port_value: 8081", "port_value: \(place.lookups.port)"),
        ("port_value: 3000", "port_value: \(place.application.port)"),
      ]
      if let token = place.token {
        changes += [
          ("# authorization_request:", "authorization_request:"),
          (
            "#   headers_to_add: [{ key: X-Revoked-Token, value: the token }]",
            "  headers_to_add: [{ key: X-Revoked-Token, value: \(token) }]"
          ),
        ]
      }
      if place.failsOpen { changes.append(("failure_mode_allow: false", "failure_mode_allow: true")) }
      return changes
    })
}

extension ListenAddress {
  fileprivate var port: UInt16 {
    switch self {
    case .tcp(_, let port): port
    // No recipe of these two has one.
    case .unix, .inherited: 0
    }
  }
}
