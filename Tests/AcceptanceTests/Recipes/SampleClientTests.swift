import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite("Config's sample client of the feed")
struct SampleClientTests {
  private let never = UUID().uuidString.lowercased()

  private func revoke(on server: RunningServer) throws -> String {
    let session = UUID().uuidString.lowercased()
    let event = DeliveryTests.event(session: session)
    #expect(try server.post(event, signature: DeliveryTests.sign(event)).status == 200)
    return session
  }

  @Test(
    "it has what was revoked before, then what is revoked meanwhile, across a restart and a store that was replaced")
  func follows() throws {
    let port = try ReservedPort()
    let token = ForwardAuthRecipeTests.token
    let environment = ["REVOKED_PRIVATE_LISTEN": "127.0.0.1:\(port.number)", "REVOKED_PRIVATE_TOKEN": token]
    let folder = try TemporaryFolder()
    let server = try RunningServer(in: folder, environment: environment)
    let first = try revoke(on: server)
    let client = try SampleClient(server.privateAddress, maxAge: 3600, token: token)
    // Its first answer waits until all is read.
    #expect(try !client.refuses(never))
    #expect(try client.refuses(first))
    // As forward-auth does with what is no session id.
    for malformed in ["", "x", never.uppercased(), never + "0"] { #expect(try client.refuses(malformed)) }
    #expect(client.errors.text == "")
    let second = try revoke(on: server)
    #expect(try eventually { try client.refuses(second) })

    server.signal(SIGKILL)
    #expect(server.exit() == SIGKILL)
    #expect(try client.refuses(first) && client.refuses(second) && !client.refuses(never))
    let restarted = try RunningServer(in: folder, environment: environment)
    let third = try revoke(on: restarted)
    #expect(try eventually { try client.refuses(third) })

    restarted.signal(SIGKILL)
    #expect(restarted.exit() == SIGKILL)
    // Its cursors are of another history from here on.
    let other = try RunningServer(in: TemporaryFolder(), environment: environment)
    let fourth = try revoke(on: other)
    #expect(try eventually { try client.refuses(fourth) })
    #expect(try client.refuses(first) && client.refuses(third) && !client.refuses(never))
  }

  @Test("it says why it cannot read, once, and refuses everybody", arguments: [nil, "another-token"])
  func saysWhy(token: String?) throws {
    let server = try RunningServer(
      in: TemporaryFolder(), environment: ["REVOKED_PRIVATE_TOKEN": ForwardAuthRecipeTests.token])
    let client = try SampleClient(server.privateAddress, maxAge: 3600, token: token)
    #expect(try client.refuses(never))
    #expect(client.errors.wait { $0 == "the feed cannot be read: HTTP Error 401: Unauthorized\n" })
  }

  @Test("it refuses everybody once it has heard nothing for as long as it was told, and recovers")
  func failsClosed() throws {
    let port = try ReservedPort()
    let environment = ["REVOKED_PRIVATE_LISTEN": "127.0.0.1:\(port.number)"]
    let folder = try TemporaryFolder()
    let server = try RunningServer(in: folder, environment: environment)
    let client = try SampleClient(server.privateAddress, maxAge: 3)
    #expect(try eventually { try !client.refuses(never) })
    server.signal(SIGKILL)
    #expect(server.exit() == SIGKILL)
    #expect(try eventually { try client.refuses(never) })
    let restarted = try RunningServer(in: folder, environment: environment)
    #expect(try eventually { try !client.refuses(never) })
    #expect(client.errors.text.contains("the feed cannot be read: "))
    #expect(client.errors.wait { $0.hasSuffix("the feed is read again\n") })
    #expect(restarted.processIdentifier != server.processIdentifier)
  }
}
