import Foundation
import HTTPServer
import TestSupport
import Testing

/// A receiver, an application, and in front of both a proxy that runs a recipe's files.
final class DeployedProxy {
  let server: RunningServer
  let application: Application
  let client: HTTPSClient
  private let proxy: ReverseProxy

  static let webhook = "https://hooks.example.com/webhooks/dynamic"
  static let page = "https://app.example.com/page?x=1"

  init(_ recipe: Recipe, server: RunningServer, token: String? = nil, failsOpen: Bool = false) throws {
    self.server = server
    application = try Application()
    let folder = server.folder
    let port = try ReservedPort()
    let certificate = try Certificate(in: folder)
    client = HTTPSClient(port: port.number, certificate: certificate, folder: folder)
    proxy = try recipe.start(
      Recipe.Place(
        folder: folder, port: port.number, certificate: certificate, webhook: server.address,
        lookups: server.privateAddress, application: application.address, token: token, failsOpen: failsOpen),
      on: port)
    // Traefik takes connections before it has read its routes.
    try #require(eventually { (try? client.get("https://hooks.example.com/")) != nil }, "\(proxy.log.text)")
  }

  convenience init(_ recipe: Recipe) throws {
    try self.init(recipe, server: RunningServer(in: TemporaryFolder()))
  }

  /// Signed, as Dynamic sends it.
  func deliver(_ body: String) throws -> Answer {
    try client.post(Self.webhook, fields: ["x-dynamic-signature-256: \(DeliveryTests.sign(body))"], body)
  }

  /// A session of its own, revoked through the proxy.
  func revokedSession() throws -> String {
    let session = UUID().uuidString.lowercased()
    let answer = try deliver(DeliveryTests.event(session: session))
    guard answer.body == #"{"status":"accepted"}"# else { throw Unexpected(answer: answer) }
    return session
  }

  struct Unexpected: Error {
    let answer: Answer
  }
}
