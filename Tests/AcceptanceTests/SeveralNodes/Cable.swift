#if PostgreSQL
  import Foundation
  import TestSupport
  import Testing

  /// The way of a server in a network of its own to this machine. It is gone when the server is, however that ends.
  struct Cable {
    enum Fault: String, CaseIterable {
      case pulled = "it is pulled"
      /// What the server sends arrives.
      case losingAnswers = "it carries only one way"
    }

    /// Whether this process may make networks, really tried where it need not.
    static let isPossible = {
      if Administrator.isExpected { return true }
      let wrapper = Cable().wrapper
      return (try? Program.run(wrapper[0], Array(wrapper.dropFirst()) + ["/bin/true"]).status) == 0
    }()

    private let name: String
    /// This machine, for the server there.
    let here: String
    /// The server, for this machine.
    let there: String

    init() {
      let number = UInt32.random(in: 0..<1 << 15)
      name = "revoked\(number)"
      // Of the network for measurements, which nobody routes: four addresses.
      let network = "198.\(18 + number >> 14).\(number >> 6 & 255)."
      here = network + "\((number & 63) * 4 + 1)"
      there = network + "\((number & 63) * 4 + 2)"
    }

    /// What runs a command in the other network.
    var wrapper: [String] {
      let script = """
        set -e
        ip link set lo up
        ip link add near type veth peer name \(name) netns $0
        ip address add \(there)/30 dev near
        ip link set near up
        here() { nsenter --net=/proc/$0/ns/net ip "$@"; }
        here address add \(here)/30 dev \(name)
        here link set \(name) up
        exec "$@"
        """
      return ["/usr/bin/unshare", "--net", "/bin/sh", "-c", script, "\(getpid())"]
    }

    func set(_ fault: Fault, _ isSo: Bool) throws {
      let arguments =
        switch fault {
        case .pulled: ["link", "set", name, isSo ? "down" : "up"]
        case .losingAnswers: ["route", isSo ? "add" : "delete", "blackhole", there + "/32"]
        }
      #expect(try Program.run("/bin/ip", arguments).status == 0)
    }
  }
#endif
